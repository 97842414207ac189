-- A registered model, if whoever asks may see it.
select id, scope, model_id, model_version, status
from model_registry
where id = %(id)s
