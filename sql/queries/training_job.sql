-- A job by the provider's id, or the newest that was bought for a dataset. With a scope only where the scope had that dataset, or trained by that job.
select j.provider_job_id, j.status, j.settings ->> 'base_model' as base_model, j.model_id, j.trained_tokens, j.finished_at, j.error
from fine_tuning_jobs j
where case when %(provider_job_id)s::text is null then j.dataset_hash = %(dataset_hash)s::text else j.provider_job_id = %(provider_job_id)s end
  and (
    %(scope)s::text is null
    or exists (select from dataset_publications p where p.dataset_hash = j.dataset_hash and p.scope = %(scope)s)
    or exists (select from scope_trainings t where t.job = j.id and t.scope = %(scope)s))
order by j.created_at desc
limit 1
