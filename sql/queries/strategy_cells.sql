-- An organization's strategies of a kept dimension by the kind of lead, for learning: the hundred strategies that were used most, and of each property of
-- leads the twenty commonest values.
with cells as materialized (
  select * from strategy_segments where organization_id = %(organization_id)s and keys = %(keys)s::text[]
),
strategies as (select strategy from cells group by strategy order by sum(sent) desc, strategy limit 100),
industries as (select industry from cells group by industry order by sum(sent) desc, industry limit 20),
roles as (select role from cells group by role order by sum(sent) desc, role limit 20),
sizes as (select company_size from cells group by company_size order by sum(sent) desc, company_size limit 20)
select c.strategy, c.channel, coalesce(i.industry, '(other)') as industry, coalesce(p.role, '(other)') as role, coalesce(z.company_size, '(other)') as company_size,
  sum(c.sent)::double precision as sent,
  sum(c.replied + (c.sent - c.replied) * reply_share(%(as_of)s - c.sent_at, r.reply_days)) as reply_trials, sum(c.replied)::double precision as replied,
  coalesce(sum(c.sent) filter (where c.week + 7 <= %(meetings_until)s), 0)::double precision as meeting_trials,
  coalesce(sum(c.meetings) filter (where c.week + 7 <= %(meetings_until)s), 0)::double precision as meetings,
  coalesce(sum(c.sent) filter (where c.week + 7 <= %(deals_until)s), 0)::double precision as deal_trials,
  coalesce(sum(c.deals) filter (where c.week + 7 <= %(deals_until)s), 0)::double precision as deals
from cells c
join strategy_refreshes r on r.organization_id = c.organization_id
join strategies using (strategy)
left join industries i using (industry)
left join roles p using (role)
left join sizes z using (company_size)
group by 1, 2, 3, 4, 5
