-- A version's number that another training has.
select model_version, model_id
from model_registry
where scope = %(scope)s and model_version = %(model_version)s
  and (dataset_hash, trainer, settings_hash) is distinct from (%(dataset_hash)s, %(trainer)s, %(settings_hash)s)
