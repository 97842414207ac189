-- Trainings, newest first, with the scopes whose dataset it was.
select
  j.trainer, j.provider_job_id, j.status, j.provider_status, j.settings ->> 'base_model' as base_model, left(j.dataset_hash, 12) as dataset,
  (select string_agg(p.scope, ', ' order by p.scope) from dataset_publications p where p.dataset_hash = j.dataset_hash) as scopes,
  j.attempt, j.trained_tokens, j.estimated_usd, j.cost_usd, j.model_id, j.error, j.created_at, j.submitted_at, j.finished_at
from fine_tuning_jobs j
order by j.created_at desc
limit %(limit)s
