-- The leads that a version learnt from, with what it scored them out of fold.
select r.features, c.out_of_fold
from lead_model_members c
join lead_training_rows r on r.organization_id = %(organization_id)s and r.lead_id = c.lead_id
where c.model_id = %(model_id)s
