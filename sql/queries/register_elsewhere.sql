-- A model that was trained elsewhere, or a provider's plain one; again, the row that is there.
with written as (
  insert into model_registry (organization_id, model_id, model_version, base_model, trainer, is_base, fine_tuning_job_id, training_examples_count,
    positive_examples, deals_in_training, trained_tokens, training_cost_usd)
  values (%(organization_id)s, %(model_id)s, %(model_version)s, %(base_model)s, %(trainer)s, %(is_base)s, %(fine_tuning_job_id)s,
    %(training_examples_count)s, %(positive_examples)s, %(deals_in_training)s, %(trained_tokens)s, %(training_cost_usd)s)
  on conflict (scope, model_version) do nothing
  returning *
)
select * from written
union all
select m.* from model_registry m
where m.scope = coalesce(%(organization_id)s, 'global') and m.model_version = %(model_version)s and not exists (select from written)
