-- Weeks with training-ready outcomes that a destination never got, and exported weeks that are due, have another formula now, hold an
-- outcome that changed since, or none any more. A few look-ups a week, by index: what it costs doesn't grow with the outcomes.
with exported as (
  select * from warehouse_exports
  where destination = %(destination)s and table_name = %(table)s and schema_version = %(version)s
)
select p.week, 'never exported' as reason
from outcome_weeks p
where not exists (select from exported e where e.week = p.week)
  and exists (select from training_ready_outcomes t where t.week = p.week)
union all
select e.week, case when e.due then 'due' when e.formula_version <> formula_version() then 'another formula' else 'changed since' end
from exported e
where e.due
  or e.server <> server_id()
  or e.formula_version <> formula_version()
  or exists (
    select from outcome_labels o
    where outcome_week(o.sent_at) = e.week and o.changed_xid >= pg_snapshot_xmin(e.snapshot)
      and changed_since(o.changed_xid, e.snapshot))
  or e.rows > 0 and not exists (select from outcome_weeks p where p.week = e.week)
order by week
