-- The next outcomes, by id, that have at least one event of their own.
select o.id
from outcome_labels o
where (%(after)s::uuid is null or o.id > %(after)s::uuid)
  and (%(organization_id)s::text is null or o.organization_id = %(organization_id)s::text)
  and exists (select from webhook_events e where e.outcome_id = o.id and e.matched)
order by o.id
limit %(limit)s
