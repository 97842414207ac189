-- Payloads as they were received, each once though several events came of it, in chunks by id.
select case when not unbound then organization_id end as organization, source, raw, min(received_at)
from (
  select id, organization_id, unbound, source, raw, received_at
  from webhook_events
  where raw is not null and id > %(after)s and received_at >= %(since)s and received_at < %(until)s
    and (%(source)s::text is null or source = %(source)s)
    and (%(organization_id)s::text is null or organization_id = %(organization_id)s)
  order by id
  limit %(limit)s) e
group by 1, source, raw
order by min(id)
