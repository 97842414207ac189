-- Organizations whose sales teams told anything, with their newest version if there is one.
select t.organization_id, t.told, t.converted, m.version, m.rows, m.card
from (
  select organization_id, count(*)::int as told, count(*) filter (where actual_outcome)::int as converted
  from lead_scores where actual_outcome is not null group by organization_id
) t
left join lateral (
  select v.version, v.rows, v.card from lead_models v
  where v.organization_id = t.organization_id order by v.feedback_through desc, v.made_at desc limit 1
) m on true
order by t.organization_id
