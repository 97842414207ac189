-- The weeks of outcomes changed by transactions that the snapshot `seen` could not see and `now` can; and all weeks of organizations where
-- such a transaction changed what is replaced in their messages.
select distinct outcome_week(sent_at) as week
from outcome_labels
where (%(seen)s::pg_snapshot is null
    or (changed_xid >= pg_snapshot_xmin(%(seen)s::pg_snapshot) and not pg_visible_in_snapshot(changed_xid, %(seen)s::pg_snapshot)))
  and (%(seen)s::pg_snapshot is null or pg_visible_in_snapshot(changed_xid, %(now)s::pg_snapshot))
union
select distinct outcome_week(o.sent_at)
from organizations g join outcome_labels o on o.organization_id = g.id
where %(seen)s::pg_snapshot is not null
  and not pg_visible_in_snapshot(g.privacy_xid, %(seen)s::pg_snapshot) and pg_visible_in_snapshot(g.privacy_xid, %(now)s::pg_snapshot)
order by week
