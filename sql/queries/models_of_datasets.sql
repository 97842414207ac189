-- The versions that were trained on these datasets.
select scope, model_version, status, trainer, base_model, model_id, fine_tuning_job_id, dataset_hash, created_at
from model_registry
where dataset_hash = any(%(hashes)s)
order by created_at, scope, model_version
