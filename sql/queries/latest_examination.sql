select passed
from model_examinations
where scope = %(scope)s and trainer = %(trainer)s and model_id = %(model_id)s and dataset_hash = %(dataset_hash)s
order by created_at desc
limit 1
