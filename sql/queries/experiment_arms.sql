-- An experiment with its arms in each epoch: a scope's running one, or one by its id.
select x.id, x.scope, x.organization_id, x.policy, x.started_at, x.ended_at, a.epoch, a.arm, a.registry_id, a.share, a.started_at as epoch_started_at,
  m.model_version, m.model_id
from experiments x
join experiment_arms a on a.experiment_id = x.id
join model_registry m on m.id = a.registry_id
where case when %(experiment_id)s::uuid is null then x.scope = %(scope)s and x.ended_at is null else x.id = %(experiment_id)s end
order by a.epoch, a.arm
