-- How many members are of organizations whose messages are used as they are.
select count(*)
from dataset_members m
join outcome_labels o on o.id = m.outcome_id
join organizations g on g.id = o.organization_id
where m.dataset_hash = %(hash)s and g.redaction_off
