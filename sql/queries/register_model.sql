insert into model_registry (
  organization_id, model_id, model_version, base_model, base_ends_on, trainer, settings_hash, status, dataset_hash, fine_tuning_job_id, example_format,
  training_examples_count, positive_examples, deals_in_training, trained_tokens, training_cost_usd)
values (
  %(organization_id)s, %(model_id)s, %(model_version)s, %(base_model)s, %(base_ends_on)s, %(trainer)s, %(settings_hash)s, %(status)s, %(dataset_hash)s,
  %(fine_tuning_job_id)s, %(example_format)s, %(training_examples_count)s, %(positive_examples)s, %(deals_in_training)s,
  %(trained_tokens)s, %(training_cost_usd)s)
on conflict (scope, dataset_hash, trainer, settings_hash) do nothing
