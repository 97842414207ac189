-- Groups of near-duplicates with members on both sides of a dataset's split, and how many members they have.
select count(*), coalesce(sum(members), 0)::int
from (
  select count(*) as members
  from dataset_members
  where dataset_hash = %(hash)s
  group by group_key
  having count(distinct side) > 1
) groups
