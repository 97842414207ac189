-- The dimensions that are learnt, and when an organization's lesson of each was made; null where it has none, where messages were counted anew since, and where
-- others share than those that it has learnt from.
select d.keys, l.made_at
from strategy_dimensions d
left join strategy_refreshes r on r.organization_id = %(organization_id)s
left join strategy_lessons l
  on l.keys = d.keys and l.organization_id = %(organization_id)s and l.made_at > r.counted_at and l.others = strategy_others(l.organization_id, l.keys)
order by d.keys
