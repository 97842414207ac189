-- The models that serve, then the newest of the others, with what their messages achieved and the last verdict on each.
with chosen as materialized (
  select * from model_registry
  where status <> 'failed'
  order by status = 'deployed' desc, is_baseline desc, created_at desc, id
  limit %(models)s
),
  written as (
    select model_registry_id, count(*) as messages, count(*) filter (where replied) as replies, count(*) filter (where meeting_booked) as meetings,
      count(*) filter (where deal_closed) as deals
    from outcome_labels where model_registry_id = any (array(select id from chosen))
    group by model_registry_id
  )
select m.id, m.scope, m.model_version, m.base_model, m.status, m.ab_test_group as arm, m.traffic_percentage, m.is_baseline, m.created_at,
  coalesce(w.messages, 0) as messages, w.replies::double precision / w.messages as reply_rate, w.meetings::double precision / w.messages as meeting_rate,
  w.deals::double precision / w.messages as close_rate, d.verdict, d.action, d.provisional, d.decided_at, d.reason
from chosen m
left join written w on w.model_registry_id = m.id
left join lateral (
  select e.verdict, e.action, e.provisional, e.decided_at, e.statistics ->> 'reason' as reason
  from experiment_decisions e where e.registry_id = m.id order by e.id desc limit 1
) d on true
order by m.status = 'deployed' desc, m.scope <> 'global', m.scope, m.ab_test_group, m.created_at desc, m.id
