-- What was bought for these datasets, and the provider's names for it.
select trainer, status, provider_job_id, training_file_id, validation_file_id, model_id, dataset_hash, created_at
from fine_tuning_jobs
where dataset_hash = any(%(hashes)s) and (provider_job_id is not null or training_file_id is not null or validation_file_id is not null)
order by created_at, id
