-- The same training is one version, ready or failed as its newest examination says; one that serves goes on until somebody takes it back.
insert into model_registry as r (
  organization_id, model_id, model_version, base_model, base_ends_on, trainer, settings_hash, status, dataset_hash, fine_tuning_job_id, example_format,
  training_examples_count, positive_examples, deals_in_training, trained_tokens, training_cost_usd)
values (
  %(organization_id)s, %(model_id)s, %(model_version)s, %(base_model)s, %(base_ends_on)s, %(trainer)s, %(settings_hash)s, %(status)s, %(dataset_hash)s,
  %(fine_tuning_job_id)s, %(example_format)s, %(training_examples_count)s, %(positive_examples)s, %(deals_in_training)s,
  %(trained_tokens)s, %(training_cost_usd)s)
on conflict (scope, dataset_hash, trainer, settings_hash) do update set
  status = case when r.status in ('ready', 'failed') then excluded.status else r.status end,
  model_id = case when r.fine_tuning_job_id = excluded.fine_tuning_job_id then r.model_id else excluded.model_id end,
  fine_tuning_job_id = excluded.fine_tuning_job_id
where r.status <> 'deployed' and r.fine_tuning_job_id is distinct from excluded.fine_tuning_job_id
  or r.status in ('ready', 'failed') and r.status <> excluded.status
returning xmax = 0 as created
