-- Weeks that were never scored, that changed since, or that were scored on another server, by another formula or other code. A few look-ups a week,
-- by index: what it costs doesn't grow with the outcomes.
select p.week
from outcome_weeks p
left join scored_weeks s using (week)
where s.week is null
  or s.server <> server_id()
  or s.built_by <> %(built_by)s
  or s.formula_version <> formula_version()
  or exists (
    select from outcome_labels o
    where outcome_week(o.sent_at) = p.week and o.changed_xid >= pg_snapshot_xmin(s.snapshot) and changed_since(o.changed_xid, s.snapshot))
  or exists (
    select from organizations g
    where changed_since(g.privacy_xid, s.snapshot)
      and exists (
        select from outcome_labels o
        where o.organization_id = g.id and o.sent_at >= p.week::timestamp at time zone 'UTC' and o.sent_at < (p.week + 7)::timestamp at time zone 'UTC'))
union all
select s.week from scored_weeks s where s.rows > 0 and not exists (select from outcome_labels o where outcome_week(o.sent_at) = s.week)
order by 1
