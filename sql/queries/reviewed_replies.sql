-- What people said of replies that a machine had judged, each reply's latest review: the machine's label, the person's, and how many replies it stands for.
select distinct on (e.outcome_id, e.facts ->> 'replied_at') e.facts -> 'reviewed' ->> 'label' as machine, e.facts ->> 'label' as human,
  (e.facts -> 'reviewed' ->> 'weight')::double precision as weight,
  e.facts -> 'reviewed' ->> 'objection_type' as machine_objection, e.facts ->> 'objection_type' as human_objection
from webhook_events e
where e.matched and e.event_type = 'reply_classified' and e.source = 'review'
  and (%(organization_id)s::text is null or e.organization_id = %(organization_id)s)
order by e.outcome_id, e.facts ->> 'replied_at', e.occurred_at desc, e.event_key
