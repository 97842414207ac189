-- Changes the named columns and keeps the others; the times of submission and end come by themselves. An end is final: whoever still
-- saw the job running changes nothing.
update fine_tuning_jobs j set
  status = n.status, training_file_id = n.training_file_id, validation_file_id = n.validation_file_id, provider_job_id = n.provider_job_id,
  provider_status = n.provider_status, model_id = n.model_id, trained_tokens = n.trained_tokens, estimated_usd = n.estimated_usd,
  cost_usd = n.cost_usd, loss_curve = n.loss_curve, error = n.error,
  submitted_at = coalesce(j.submitted_at, case when n.provider_job_id is not null then clock_timestamp() end),
  finished_at = coalesce(j.finished_at, case when n.status in ('succeeded', 'failed', 'cancelled') then clock_timestamp() end)
from jsonb_populate_record((select j from fine_tuning_jobs j where j.id = %(id)s), %(changes)s) n
where j.id = %(id)s and j.status not in ('succeeded', 'failed', 'cancelled')
