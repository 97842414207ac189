-- Membership is not a change of the outcome: the trigger leaves its change stamp alone.
update outcome_labels o set included_in_training = true
from dataset_selection s
where o.id = s.outcome_id and not o.included_in_training
