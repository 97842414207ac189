-- The ledger row that comes before any paid call; a further attempt only when it is asked for and the last one ended badly.
insert into fine_tuning_jobs (dataset_hash, trainer, settings, settings_hash, attempt)
select %(dataset_hash)s, %(trainer)s, %(settings)s, %(settings_hash)s, coalesce(max(j.attempt), 0) + 1
from fine_tuning_jobs j
where j.dataset_hash = %(dataset_hash)s and j.trainer = %(trainer)s and j.settings_hash = %(settings_hash)s
having count(*) = 0 or (%(resubmit)s and bool_or(j.attempt = (
  select max(m.attempt) from fine_tuning_jobs m
  where m.dataset_hash = %(dataset_hash)s and m.trainer = %(trainer)s and m.settings_hash = %(settings_hash)s
) and j.status in ('failed', 'cancelled')))
on conflict do nothing
