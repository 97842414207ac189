-- Weeks that were never scored, that changed since, or that were scored on another server, by another formula or other code. A few look-ups a week,
-- by index: what it costs doesn't grow with the outcomes. (Restored from another server, rows carry transactions that haven't happened here.)
with recursive present (week) as (
  (select outcome_week(sent_at) from outcome_labels order by 1 limit 1)
  union all
  select (select outcome_week(o.sent_at) from outcome_labels o where outcome_week(o.sent_at) > p.week order by 1 limit 1)
  from present p where p.week is not null
)
select p.week
from present p
left join scored_weeks s using (week)
where p.week is not null and (
  s.week is null
  or s.server <> server_id()
  or s.built_by <> %(built_by)s
  or s.formula_version <> formula_version()
  or exists (
    select from outcome_labels o
    where outcome_week(o.sent_at) = p.week and o.changed_xid >= pg_snapshot_xmin(s.snapshot) and not pg_visible_in_snapshot(o.changed_xid, s.snapshot)
      and pg_visible_in_snapshot(o.changed_xid, pg_current_snapshot()))
  or exists (
    select from organizations g
    where g.privacy_xid >= pg_snapshot_xmin(s.snapshot) and not pg_visible_in_snapshot(g.privacy_xid, s.snapshot)
      and pg_visible_in_snapshot(g.privacy_xid, pg_current_snapshot())
      and exists (
        select from outcome_labels o
        where o.organization_id = g.id and o.sent_at >= p.week::timestamp at time zone 'UTC' and o.sent_at < (p.week + 7)::timestamp at time zone 'UTC')))
union all
select s.week from scored_weeks s where s.rows > 0 and not exists (select from outcome_labels o where outcome_week(o.sent_at) = s.week)
order by 1
