-- Erases a lead for whom begin_erasure() closed the door (0016).
select outcomes, events, others, training_rows, scorings, merged, shared_email, outcome_ids, weeks, lead_models
from erase_lead(%(organization_id)s, %(lead_id)s)
