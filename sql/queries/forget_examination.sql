-- What a model answered and how it was judged for a scope, to be examined again.
with answers as (
  delete from model_answers where trainer = %(trainer)s and model_id = %(model_id)s
)
delete from model_examinations where scope = %(scope)s and trainer = %(trainer)s and model_id = %(model_id)s
