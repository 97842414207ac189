-- The newest events after one, without what they say.
select id, received_at, source, event_type::text, organization_id, outcome_id::text,
  case when matched then coalesce('by ' || linked_by, 'named') else unmatched_reason end
from webhook_events
where id > %(after)s
  and (%(organization_id)s::text is null or organization_id = %(organization_id)s)
  and (not %(unmatched)s or not matched)
order by id desc
limit %(limit)s
