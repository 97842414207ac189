-- The arms that serve an organization now, and the experiment that they are in. One statement: arms and epoch belong together.
select m.id as registry_id, m.model_id, m.model_version, m.trainer, m.base_model, m.scope, coalesce(m.ab_test_group, 'control') as arm,
  m.traffic_percentage / 100 as share, x.id as experiment_id, x.salt,
  (select max(a.epoch) from experiment_arms a where a.experiment_id = x.id) as epoch
from serving_models(%(organization_id)s) m
left join experiments x on x.scope = m.scope and x.ended_at is null and m.status = 'deployed'
