select id, prompts, report, passed, created_at
from model_examinations
where scope = %(scope)s and trainer = %(trainer)s and model_id = %(model_id)s and dataset_hash = %(dataset_hash)s
  and control_trainer is not distinct from %(control_trainer)s and control_model_id is not distinct from %(control_model_id)s
  and criteria_hash = %(criteria_hash)s
