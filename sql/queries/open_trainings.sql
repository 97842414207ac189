-- Jobs that were bought for datasets of a scope and whose end is not known yet, but for one.
select j.*
from fine_tuning_jobs j
where j.status in ('submitted', 'running') and j.provider_job_id is not null and j.id is distinct from %(but)s
  and exists (select from dataset_publications p where p.dataset_hash = j.dataset_hash and p.scope = %(scope)s)
order by j.created_at
