-- A version of a scope, and where its model is deployed, which scopes with the same dataset share.
select m.trainer, m.model_id, (
  select string_agg(d.scope || ' ' || d.model_version, ', ' order by d.scope, d.model_version)
  from model_registry d
  where d.trainer = m.trainer and d.model_id = m.model_id and d.status = 'deployed'
) as deployed
from model_registry m
where m.scope = %(scope)s and m.model_version = %(version)s
