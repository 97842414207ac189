-- To whose lead each outcome's message went.
select id, organization_id || '/' || lead_id as lead
from outcome_labels
where id = any (%(ids)s)
