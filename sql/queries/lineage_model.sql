-- A registered version, with the dataset that it was trained on.
select m.model_version, m.scope, m.model_id, m.base_model, m.trainer, m.status, m.fine_tuning_job_id, m.created_at, m.dataset_hash, d.kind,
  d.example_format, d.formula_version, d.code_version, d.created_at as dataset_created_at, d.erased_at
from model_registry m left join datasets d on d.hash = m.dataset_hash
where m.scope = %(scope)s and m.model_version = %(version)s
