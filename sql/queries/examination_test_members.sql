-- Whose outcomes the lines of a dataset's test side are: in a pair, the one that won.
select m.position, m.outcome_id, coalesce(o.organization_id || '/' || o.lead_id, m.outcome_id::text) as lead
from dataset_members m
left join outcome_labels o on o.id = m.outcome_id
where m.dataset_hash = %(hash)s and m.side = 'test' and m.part <> 'rejected'
order by m.position
