-- Deployed models whose base is switched off by a day, the first to end first.
select scope, model_version, trainer, base_model, base_ends_on
from model_registry
where status = 'deployed' and base_ends_on <= %(until)s
order by base_ends_on, scope, model_version
