-- The version that a model was registered as; the first, if it was twice.
select model_version from model_registry
where scope = %(scope)s and model_id = %(model_id)s and not is_base
order by created_at
limit 1
