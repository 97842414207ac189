-- Whether an organization's outcomes have changed since they were counted by strategy, or that is a day ago.
select exists (
  select from organizations g
  left join strategy_refreshes r on r.organization_id = g.id and r.server = server_id()
  where exists (select from outcome_labels o where o.organization_id = g.id)
    and (
      r.organization_id is null
      or r.refreshed_at < now() - interval '1 day'
      or exists (
        select from outcome_labels o
        where o.organization_id = g.id and o.changed_xid >= pg_snapshot_xmin(r.snapshot) and changed_since(o.changed_xid, r.snapshot)))
)
