-- The strategies that consenting organizations use, those of most of them first; one organization's own alone stay its own.
select l.strategy
from (
  select s.value as strategy, count(*) as organizations, min(s.ordinality) as place
  from strategy_lessons l
  join organizations g on g.id = l.organization_id and g.allows_global_training
  cross join lateral jsonb_array_elements(l.strategies) with ordinality s
  where l.keys = %(keys)s::text[]
  group by s.value
) l
where l.organizations >= 2
order by l.organizations desc, l.place, l.strategy
limit 50
