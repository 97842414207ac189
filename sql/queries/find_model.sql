-- A model by its registry id, of a scope where one is given; or a scope's model by its version or the provider's id, a version first, then the newest.
select id, scope, model_version, model_id
from model_registry
where case when %(id)s::uuid is null then scope = %(scope)s and (model_version = %(named)s or model_id = %(named)s)
  else id = %(id)s and (%(scope)s::text is null or scope = %(scope)s) end
order by model_version = %(named)s desc, created_at desc
limit 1
