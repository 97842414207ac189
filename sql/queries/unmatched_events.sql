-- Events without an outcome, by reason and source.
select unmatched_reason, source, count(*), min(received_at), max(received_at)
from webhook_events
where not matched and (%(organization_id)s::text is null or organization_id = %(organization_id)s)
group by 1, 2
order by 3 desc, 1, 2
