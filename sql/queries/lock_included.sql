-- Locks the outcomes that are about to be marked, in the order of all who lock several.
select count(*)
from (select outcome_id from dataset_selection order by outcome_id) s
cross join lateral (select from outcome_labels p where p.id = s.outcome_id and not p.included_in_training for no key update) l
