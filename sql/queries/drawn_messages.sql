-- Messages whose strategy was drawn with known odds, old enough for what they are judged by, and what they earned.
select o.framework, o.tone, o.channel, coalesce(o.lead_industry, '') as industry, coalesce(o.lead_role, '') as role,
  coalesce(o.company_size, '') as company_size, o.lead_id, o.strategy_propensity as propensity,
  metric_value(%(metric)s, o.deal_closed::int, o.meeting_booked::int, o.replied::int)::double precision as reward
from outcome_labels o
where o.organization_id = %(organization_id)s and o.strategy_propensity is not null and o.framework is not null and o.tone is not null
  and o.sent_at < %(until)s and (%(since)s::timestamptz is null or o.sent_at >= %(since)s)
order by o.sent_at, o.id
