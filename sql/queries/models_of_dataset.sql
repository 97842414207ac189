select model_version, scope, model_id, fine_tuning_job_id, trained_tokens, training_cost_usd, status
from model_registry where dataset_hash = %(hash)s and scope = %(scope)s order by created_at
