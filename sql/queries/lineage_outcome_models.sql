-- The versions that were trained on a dataset with this message, newest first. They learnt from it where its side is train.
select r.model_version, r.scope, r.status, r.trainer, r.model_id, r.fine_tuning_job_id, r.dataset_hash, m.side, r.created_at
from dataset_members m join model_registry r on r.dataset_hash = m.dataset_hash
where m.outcome_id = %(outcome_id)s
order by r.created_at desc, r.scope, r.model_version
