-- Weeks with training-ready outcomes that a destination never got, and exported weeks that are due, have another formula now, or hold an
-- outcome that changed since. Weeks are found one after the other in the index on (outcome_week(sent_at), changed_xid), not row by row.
with recursive sent as (
  select min(outcome_week(sent_at)) as week from outcome_labels
  union all
  select (select min(outcome_week(o.sent_at)) from outcome_labels o where outcome_week(o.sent_at) > s.week) from sent s where s.week is not null
),
exported as (
  select * from warehouse_exports
  where destination = %(destination)s and table_name = %(table)s and schema_version = %(version)s
)
select s.week, 'never exported' as reason
from sent s
where not exists (select from exported e where e.week = s.week)
  and exists (select from training_ready_outcomes t where t.week = s.week)
union all
select e.week, case when e.due then 'due' when e.formula_version <> formula_version() then 'another formula' else 'changed since' end
from exported e
where e.due
  or e.formula_version <> formula_version()
  or exists (
    select from outcome_labels o
    where outcome_week(o.sent_at) = e.week and o.changed_xid >= pg_snapshot_xmin(e.snapshot)
      and not pg_visible_in_snapshot(o.changed_xid, e.snapshot)
  )
order by week
