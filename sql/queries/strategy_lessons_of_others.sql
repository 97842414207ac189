-- What other organizations have learnt from their own messages, where they let the global scope learn from them, and a digest of who they are.
select l.own, strategy_others(%(organization_id)s, %(keys)s::text[])
from strategy_lessons l
join organizations g on g.id = l.organization_id
where l.keys = %(keys)s::text[] and l.organization_id <> %(organization_id)s and l.own is not null and g.allows_global_training
order by l.organization_id
