-- Trainings whose end a provider reported, while the ledger has them open: scope, notice and job.
select distinct on (p.scope, j.id) p.scope, n.webhook_id, j.provider_job_id
from training_notices n
join fine_tuning_jobs j on j.provider_job_id = n.job_id and j.status in ('submitted', 'running')
join dataset_publications p on p.dataset_hash = j.dataset_hash
order by p.scope, j.id, n.received_at desc
