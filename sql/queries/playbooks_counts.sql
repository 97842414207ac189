-- Leads and successes of each sequence that at least `least` leads of a campaign got beside others, point by point. A sequence is a lead's first
-- touches, at most `longest`, at three levels of detail. A lead counts with a sequence if it stood open when the last of these touches was sent, and
-- `success_window` has passed since; what it was sent afterwards changes nothing. A point is where leads can be compared: the same number of touches
-- with the same gaps, the last of them in the same month, and the same answer so far. The arrays have one element for each point at which the
-- sequence's leads stood beside leads with another sequence. Facts without a time count as of the sending. Windows, not joins: nobody knows beforehand
-- how many rows there will be, and a nested loop over them would be slow. And steps as text, which is sorted much faster than arrays.
with messages as (
  select o.id, o.lead_id, o.sent_at, o.channel, nullif(concat_ws('_', nullif(o.framework, ''), nullif(o.tone, '')), '') as strategy,
    case when o.bounced then coalesce(o.bounced_at, o.sent_at) end as bounced_at,
    case when o.opened then coalesce(o.opened_at, o.sent_at) end as opened_at,
    case when o.clicked then coalesce(o.clicked_at, o.sent_at) end as clicked_at,
    case when o.replied then coalesce(o.replied_at, o.sent_at) end as replied_at,
    case when o.meeting_booked then coalesce(o.meeting_booked_at, o.sent_at) end as met_at,
    case %(metric)s::text
      when 'meeting' then case when o.meeting_booked then coalesce(o.meeting_booked_at, o.sent_at) end
      when 'positive_reply' then case when o.replied and (o.sentiment_label = 'positive' or o.interest_signal) then coalesce(o.replied_at, o.sent_at) end
      when 'deal' then case when o.deal_closed then coalesce(o.deal_closed_at, o.sent_at) end
    end as success_at,
    least(
      case when o.unsubscribed then coalesce(o.unsubscribed_at, o.sent_at) end,
      case when o.spam_reported then coalesce(o.spam_reported_at, o.sent_at) end,
      case when o.replied and o.sentiment_label = 'negative' then coalesce(o.replied_at, o.sent_at) end,
      case when o.deal_closed then coalesce(o.deal_closed_at, o.sent_at) end,
      case when o.deal_lost then coalesce(o.deal_lost_at, o.sent_at) end) as lost_at
  from outcome_labels o
  where o.organization_id = %(organization_id)s and o.campaign_id = %(campaign_id)s
),
touches as (
  select m.lead_id, m.sent_at, m.channel, m.strategy, row_number() over told as place, m.sent_at - lag(m.sent_at) over told as since,
    min(m.bounced_at) over lead as bounced_at, min(m.opened_at) over lead as opened_at, min(m.clicked_at) over lead as clicked_at,
    min(m.replied_at) over lead as replied_at, min(m.met_at) over lead as met_at, min(m.success_at) over lead as success_at,
    min(least(m.success_at, m.lost_at)) over lead as closed_at
  from messages m
  window told as (partition by m.lead_id order by m.sent_at, m.id), lead as (partition by m.lead_id)
),
prefixes as (
  select t.*, t.place::int as length, array_agg(t.channel) over told as channels, array_agg(t.strategy) over told as strategies,
    array_agg(case
      when t.since is null then null
      when t.since < interval '1 day' then 'within a day'
      when t.since < interval '3 days' then '1-2 days'
      when t.since < interval '5 days' then '3-4 days'
      when t.since < interval '10 days' then '5-9 days'
      else '10+ days'
    end) over told as gaps
  from touches t
  where t.place <= %(longest)s
  window told as (partition by t.lead_id order by t.place)
),
open_leads as (
  select p.length, p.channels::text as channels, p.strategies::text as strategies, p.gaps::text as gaps,
    to_char(p.sent_at at time zone 'UTC', 'YYYY-MM') as month,
    case
      when p.met_at < p.sent_at then 'met' when p.replied_at < p.sent_at then 'replied' when p.clicked_at < p.sent_at then 'clicked'
      when p.opened_at < p.sent_at then 'opened' when p.bounced_at < p.sent_at then 'bounced' else 'silent'
    end as answer,
    p.success_at <= p.sent_at + %(success_window)s as succeeded
  from prefixes p
  where p.sent_at + %(success_window)s <= %(as_of)s and (p.closed_at is null or p.closed_at >= p.sent_at)
),
cells as (
  select case grouping(channels, strategies) when 0 then 'channel_gap_strategy' when 1 then 'channel_gap' when 2 then 'strategy' else 'all' end as level,
    length, channels, strategies, gaps, month, answer, count(*) as leads, count(*) filter (where succeeded) as successes
  from open_leads
  group by grouping sets (
    (length, gaps, month, answer, channels, strategies), (length, gaps, month, answer, channels), (length, gaps, month, answer, strategies),
    (length, gaps, month, answer))
),
compared as (
  select c.*, max(c.leads) filter (where c.level = 'all') over point as all_leads, max(c.successes) filter (where c.level = 'all') over point as all_successes
  from cells c
  window point as (partition by c.length, c.gaps, c.month, c.answer)
)
select c.level, c.length, c.channels::text[] as channels, c.strategies::text[] as strategies,
  (case when c.level <> 'strategy' then c.gaps end)::text[] as gaps,
  array_agg(c.leads order by c.month, c.answer, c.gaps) filter (where c.all_leads > c.leads) as leads,
  array_agg(c.successes order by c.month, c.answer, c.gaps) filter (where c.all_leads > c.leads) as successes,
  array_agg(c.all_leads order by c.month, c.answer, c.gaps) filter (where c.all_leads > c.leads) as all_leads,
  array_agg(c.all_successes order by c.month, c.answer, c.gaps) filter (where c.all_leads > c.leads) as all_successes,
  coalesce(sum(c.leads) filter (where c.all_leads = c.leads), 0)::int as alone
from compared c
where c.level <> 'all'
group by c.level, c.length, c.channels, c.strategies, case when c.level <> 'strategy' then c.gaps end
having sum(c.leads) filter (where c.all_leads > c.leads) >= %(least)s
order by c.level, c.length, c.channels, c.strategies, case when c.level <> 'strategy' then c.gaps end
