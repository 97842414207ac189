-- The same as strategy_counts for a dimension that isn't kept: counted from the messages themselves.
with lag as (
  select coalesce((select reply_days from strategy_refreshes where organization_id = %(organization_id)s), reply_days_of(%(organization_id)s)) as reply_days
)
select d.keys, d.strategy, o.channel, count(*)::int as sent, count(*) filter (where o.delivered)::int as delivered, count(*) filter (where o.opened)::int as opened,
  count(*) filter (where o.clicked)::int as clicked, count(*) filter (where o.replied)::int as replied,
  count(*) filter (where o.replied and o.interest_signal)::int as interested, count(*) filter (where o.meeting_booked)::int as meetings,
  count(*) filter (where o.deal_closed)::int as deals, coalesce(sum(o.deal_value) filter (where o.deal_closed), 0) as revenue,
  sum(case when o.replied then 1 else reply_share(%(as_of)s - o.sent_at, l.reply_days) end) as reply_trials,
  count(*) filter (where outcome_week(o.sent_at) + 7 <= %(meetings_until)s)::double precision as meeting_trials,
  count(*) filter (where o.meeting_booked and outcome_week(o.sent_at) + 7 <= %(meetings_until)s)::int as meetings_in_time,
  count(*) filter (where outcome_week(o.sent_at) + 7 <= %(deals_until)s)::double precision as deal_trials,
  count(*) filter (where o.deal_closed and outcome_week(o.sent_at) + 7 <= %(deals_until)s)::int as deals_in_time,
  now() as as_of
from lag l
cross join lateral (
  select id, keys, strategy from strategies_decided(%(organization_id)s, %(campaign_id)s, '-infinity', 'infinity', %(keys)s::text[])
  union all
  select id, keys, strategy from strategies_decided(%(organization_id)s, %(campaign_id)s, '-infinity', 'infinity', %(whole_keys)s::text[])
    where strategy = %(whole)s::text[]
) d
join outcome_labels o using (id)
where o.organization_id = %(organization_id)s
group by d.keys, d.strategy, o.channel
order by count(*) desc, d.strategy, o.channel
