-- One snapshot event for each staged row that the ledger doesn't have yet, in the order of their keys; an outcome of another
-- organisation under the same id is not touched. Returns the outcomes that have something new.
insert into webhook_events (event_key, organization_id, outcome_id, event_type, occurred_at, source, facts, matched, unmatched_reason)
select s.event_key, s.organization_id, s.id, 'snapshot', s.as_of, 'import', s.facts, r.reason is null, r.reason
from import_stage s
left join outcome_labels o on o.id = s.id
cross join lateral (select case when o.organization_id <> s.organization_id then 'outcome belongs to another organization' end as reason) r
order by s.event_key
on conflict (event_key) do nothing
returning outcome_id
