-- Versions without their artifacts, the newest first; the one that is deployed, and which ones were ever.
select m.id, m.organization_id, m.version, m.made_at, m.estimator, m.artifact_sha256, m.data_sha256, m.rows, m.feedback_through, m.metrics, m.card, m.run_id,
  m.id is not distinct from (
    select d.model_id from lead_decisions d
    where d.organization_id = m.organization_id and d.action in ('deploy', 'roll_back')
    order by d.id desc limit 1
  ) as deployed,
  exists (select from lead_decisions d where d.model_id = m.id and d.action = 'deploy') as was_deployed
from lead_models m
where m.organization_id = %(organization_id)s
order by string_to_array(m.version, '.')::int[] desc
