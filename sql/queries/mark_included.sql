-- Membership is not a change of the outcome: the trigger leaves its change stamp alone. Locked in the order of all who lock several.
update outcome_labels o set included_in_training = true
from (
  select p.id from outcome_labels p join dataset_selection s on s.outcome_id = p.id where not p.included_in_training order by p.id for no key update of p
) l
where o.id = l.id
