-- Leads with members on both sides of a dataset's split, and how many members they have.
select count(*), coalesce(sum(members), 0)::int
from (
  select count(*) as members
  from dataset_members m join outcome_labels o on o.id = m.outcome_id
  where m.dataset_hash = %(hash)s
  group by o.organization_id, o.lead_id
  having count(distinct m.side) > 1
) leads
