-- Weeks that were never scored, that changed since, or whose examples have another format or formula now.
select outcome_week(o.sent_at) as week
from outcome_labels o
left join scored_weeks s on s.week = outcome_week(o.sent_at)
where s.week is null
  or s.example_format <> %(example_format)s
  or s.formula_version <> formula_version()
  or (o.changed_xid >= pg_snapshot_xmin(s.snapshot) and not pg_visible_in_snapshot(o.changed_xid, s.snapshot))
group by 1
order by 1
