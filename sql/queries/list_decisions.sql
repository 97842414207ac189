-- What was decided on a scope's experiments (null: on all; or on one of them), newest first.
select d.id, x.scope, d.experiment_id, d.arm, m.model_version, c.model_version as control_version, d.decided_at, d.policy, d.verdict, d.action,
  d.provisional, d.re_examines, d.age_days, d.window_from, d.window_to, d.counts, d.statistics, d.criteria, d.thresholds, d.code_version, d.actor
from experiment_decisions d
join experiments x on x.id = d.experiment_id
join model_registry m on m.id = d.registry_id
join model_registry c on c.id = d.control_id
where (%(scope)s::text is null or x.scope = %(scope)s) and (%(experiment_id)s::uuid is null or d.experiment_id = %(experiment_id)s)
order by d.id desc
limit %(limit)s
