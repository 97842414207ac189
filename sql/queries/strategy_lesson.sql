-- An organization's lesson about a dimension, or what others have learnt where it has none; without what it says when the asker knows it already.
select organization_id, made_at, l.made_at is not distinct from %(known)s::timestamptz as known,
  case when l.made_at is distinct from %(known)s::timestamptz then posteriors end as posteriors,
  case when l.made_at is distinct from %(known)s::timestamptz then mix end as mix,
  case when l.made_at is distinct from %(known)s::timestamptz then strategies end as strategies
from strategy_lessons l
where l.organization_id in (%(organization_id)s, '') and l.keys = %(keys)s::text[]
order by l.organization_id = '' limit 1
