-- Whether an organization's outcomes have changed since they were counted by strategy, or that is too long ago, or what was counted has yet to be learnt, or others
-- share than those that a lesson was learnt from.
select exists (
  select from organizations g
  left join strategy_refreshes r on r.organization_id = g.id and r.server = server_id()
  where exists (select from outcome_labels o where o.organization_id = g.id)
    and (
      r.organization_id is null
      or r.refreshed_at < now() - %(stale_after)s
      or exists (
        select from outcome_labels o
        where o.organization_id = g.id and o.changed_xid >= pg_snapshot_xmin(r.snapshot) and changed_since(o.changed_xid, r.snapshot)))
)
or exists (select from strategy_weeks_short join strategy_refreshes using (organization_id))
or exists (
  select from strategy_lessons l left join strategy_refreshes r using (organization_id)
  where l.made_at < r.counted_at or l.others <> strategy_others(l.organization_id, l.keys)
)
