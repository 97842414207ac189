-- What scores an organization's leads now: the deployed version, or none, and then how many of its newest thousand told leads converted.
select d.model_id, d.version, d.decided_at, t.told, t.converted
from (select 1) one
left join lateral (
  select m.id as model_id, m.version, n.decided_at
  from (
    select model_id, decided_at from lead_decisions
    where organization_id = %(organization_id)s and action in ('deploy', 'roll_back')
    order by id desc limit 1
  ) n
  join lead_models m on m.id = n.model_id
) d on true
left join lateral (
  select count(*)::int as told, count(*) filter (where s.actual_outcome)::int as converted
  from (
    select actual_outcome from lead_scores
    where organization_id = %(organization_id)s and actual_outcome is not null
    order by "timestamp" desc limit 1000
  ) s
) t on d.model_id is null
