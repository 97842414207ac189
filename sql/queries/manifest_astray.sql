-- How many outcomes a manifest names, and how many of these names are no member's, on another side than the member, or there twice.
select count(*), count(*) - count(distinct m.outcome_id)
from manifest_read r left join dataset_members m on m.dataset_hash = %(hash)s and m.outcome_id = r.outcome_id and m.side = r.side
