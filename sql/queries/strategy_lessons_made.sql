-- The dimensions that are learnt, and when an organization's lesson of each was made; null where it has none.
select d.keys, l.made_at
from strategy_dimensions d
left join strategy_lessons l on l.keys = d.keys and l.organization_id = %(organization_id)s
order by d.keys
