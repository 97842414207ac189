-- Totals that were measured elsewhere, as they were reported.
select m.scope, m.model_version as version, r.source, r.messages_sent, r.replies, r.meetings_booked, r.deals_closed, r.revenue, r.reported_at
from reported_performance r
join model_registry m on m.id = r.registry_id
order by m.scope, m.model_version, r.source
