-- An organization's strategies of a kept dimension, by channel, in one campaign or in all; and of `whole`, the messages that they are taken from: all of them
-- (the empty dimension) or those that an agent had a part in. Trials are messages that have had their time: of a young one that wasn't answered, the share
-- of replies that come within its age.
select w.keys, w.strategy, w.channel, sum(w.sent)::int as sent, sum(w.delivered)::int as delivered, sum(w.opened)::int as opened, sum(w.clicked)::int as clicked,
  sum(w.replied)::int as replied, sum(w.interested)::int as interested, sum(w.meetings)::int as meetings, sum(w.deals)::int as deals, sum(w.revenue) as revenue,
  sum(w.replied + (w.sent - w.replied) * reply_share(%(as_of)s - w.sent_at, r.reply_days)) as reply_trials,
  coalesce(sum(w.sent) filter (where w.week + 7 <= %(meetings_until)s), 0)::double precision as meeting_trials,
  coalesce(sum(w.meetings) filter (where w.week + 7 <= %(meetings_until)s), 0)::int as meetings_in_time,
  coalesce(sum(w.sent) filter (where w.week + 7 <= %(deals_until)s), 0)::double precision as deal_trials,
  coalesce(sum(w.deals) filter (where w.week + 7 <= %(deals_until)s), 0)::int as deals_in_time,
  max(r.refreshed_at) as as_of
from (  -- each by the index, where `or` would read all that the organization has
  select * from strategy_weeks k
  where k.organization_id = %(organization_id)s and k.keys = %(keys)s::text[] and (%(campaign_id)s::text is null or k.campaign_id = %(campaign_id)s)
  union all
  select * from strategy_weeks k
  where k.organization_id = %(organization_id)s and k.keys = %(whole_keys)s::text[] and k.strategy = %(whole)s::text[]
    and (%(campaign_id)s::text is null or k.campaign_id = %(campaign_id)s) and %(keys)s::text[] <> %(whole_keys)s::text[]
) w
join strategy_refreshes r using (organization_id)
group by w.keys, w.strategy, w.channel
order by sum(w.sent) desc, w.strategy, w.channel
