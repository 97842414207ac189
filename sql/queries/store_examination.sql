insert into model_examinations (
  organization_id, trainer, model_id, dataset_hash, control_trainer, control_model_id, control_id, criteria_hash, prompts, report, passed)
values (
  nullif(%(scope)s, 'global'), %(trainer)s, %(model_id)s, %(dataset_hash)s, %(control_trainer)s, %(control_model_id)s, %(control_id)s,
  %(criteria_hash)s, %(prompts)s, %(report)s, %(passed)s)
on conflict do nothing
