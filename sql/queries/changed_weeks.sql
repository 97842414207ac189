-- The weeks of outcomes changed by transactions that the snapshot `seen` could not see and `now` can.
select distinct outcome_week(sent_at) as week
from outcome_labels
where (%(seen)s::pg_snapshot is null
    or (changed_xid >= pg_snapshot_xmin(%(seen)s::pg_snapshot) and not pg_visible_in_snapshot(changed_xid, %(seen)s::pg_snapshot)))
  and (%(seen)s::pg_snapshot is null or pg_visible_in_snapshot(changed_xid, %(now)s::pg_snapshot))
order by week
