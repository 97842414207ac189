-- The full names of the leads that a dataset was made of.
select distinct l.first_name, l.last_name
from dataset_members m
join outcome_labels o on o.id = m.outcome_id
join leads l on l.organization_id = o.organization_id and l.lead_id = o.lead_id
where m.dataset_hash = %(hash)s and l.first_name is not null and l.last_name is not null
