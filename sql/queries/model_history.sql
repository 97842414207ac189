-- What happened to the models of a scope (null: of all), newest first.
select c.changed_at, c.scope, m.model_version, m.model_id, c.registry_id, c.action, c.status, c.ab_test_group, c.traffic_percentage, c.is_baseline,
  c.deprecated, c.actor, c.reason
from model_changes c join model_registry m on m.id = c.registry_id
where %(scope)s::text is null or c.scope = %(scope)s
order by c.id desc
limit %(limit)s
