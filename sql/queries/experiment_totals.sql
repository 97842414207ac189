-- What became of an experiment's units, in sums by arm, epoch and day. A unit's arm is that of its first exposure; it counts once it is `age` old
-- (null: at once), with what had happened by then to the messages that it was sent during the experiment. `day` is the day of the experiment
-- on which it began to count. Clocks differ, so a message may seem to be sent up to five minutes before its exposure.
with x as (
  select id, started_at, coalesce(ended_at, 'infinity') as ended_at from experiments where id = %(experiment_id)s
),
units as (
  select u.*
  from (
    select distinct on (e.organization_id, e.unit) e.organization_id, e.unit, e.arm, e.epoch, e.exposed_at,
      case when %(age)s::interval is null then %(as_of)s::timestamptz else e.exposed_at + %(age)s::interval end as until
    from model_exposures e
    where e.experiment_id = %(experiment_id)s and e.exposed_at <= %(as_of)s and e.exposed_at < (select x.ended_at from x)
    order by e.organization_id, e.unit, e.exposed_at, e.epoch
  ) u
  where u.until <= %(as_of)s
),
-- The times are written as differences, so that messages are looked up by lead: an index by time would read everybody's messages for each unit.
messages as (
  select u.organization_id, u.unit, u.until, o.sent_at, o.replied, o.replied_at, o.meeting_booked, o.meeting_booked_at, o.deal_closed, o.deal_closed_at,
    o.bounced, o.bounced_at, o.spam_reported, o.spam_reported_at, o.unsubscribed, o.unsubscribed_at, o.sentiment_label, o.reply_sentiment_score
  from units u cross join x
  join outcome_labels o on o.organization_id = u.organization_id and o.lead_id = substr(u.unit, 6)
    and o.sent_at - u.exposed_at >= interval '-5 minutes' and o.sent_at - u.until < interval '0' and o.sent_at < x.ended_at
  where u.unit like 'lead:%%'
  union all
  select u.organization_id, u.unit, u.until, o.sent_at, o.replied, o.replied_at, o.meeting_booked, o.meeting_booked_at, o.deal_closed, o.deal_closed_at,
    o.bounced, o.bounced_at, o.spam_reported, o.spam_reported_at, o.unsubscribed, o.unsubscribed_at, o.sentiment_label, o.reply_sentiment_score
  from units u cross join x
  join outcome_labels o on o.organization_id = u.organization_id and o.campaign_id = substr(u.unit, 10)
    and o.sent_at - u.exposed_at >= interval '-5 minutes' and o.sent_at - u.until < interval '0' and o.sent_at < x.ended_at
  where u.unit like 'campaign:%%'
),
facts as (
  select m.organization_id, m.unit,
    bool_or(m.replied and coalesce(m.replied_at, m.sent_at) <= m.until) as replied,
    bool_or(m.meeting_booked and coalesce(m.meeting_booked_at, m.sent_at) <= m.until) as meeting,
    bool_or(m.deal_closed and coalesce(m.deal_closed_at, m.sent_at) <= m.until) as deal,
    bool_or(m.bounced and coalesce(m.bounced_at, m.sent_at) <= m.until) as bounced,
    bool_or(m.spam_reported and coalesce(m.spam_reported_at, m.sent_at) <= m.until) as spam_reported,
    bool_or(m.unsubscribed and coalesce(m.unsubscribed_at, m.sent_at) <= m.until) as unsubscribed,
    bool_or(m.sentiment_label = 'negative' and m.replied and coalesce(m.replied_at, m.sent_at) <= m.until) as negative_reply,
    avg(m.reply_sentiment_score) filter (where coalesce(m.replied_at, m.sent_at) <= m.until) as sentiment
  from messages m
  group by m.organization_id, m.unit
),
costs as (
  select r.organization_id, r.unit, sum(r.cost_usd)::double precision as cost
  from units u cross join x
  join model_requests r on r.organization_id = u.organization_id and r.unit = u.unit and r.asked_at < x.ended_at
    and r.asked_at >= u.exposed_at - interval '1 hour' and r.asked_at <= u.until
  group by r.organization_id, r.unit
),
valued as (
  select u.arm, u.epoch, ceil(extract(epoch from u.until - x.started_at) / 86400)::int as day,
    f.unit is null as unsent, coalesce(f.replied, false) as replied, coalesce(f.meeting, false) as meeting, coalesce(f.deal, false) as deal,
    coalesce(f.bounced, false) as bounced, coalesce(f.spam_reported, false) as spam_reported,
    coalesce(f.unsubscribed, false) as unsubscribed, coalesce(f.negative_reply, false) as negative_reply,
    f.sentiment, coalesce(c.cost, 0) as cost,
    message_value(coalesce(f.deal, false)::int, coalesce(f.meeting, false)::int, coalesce(f.replied, false)::int) as value
  from units u cross join x
  left join facts f using (organization_id, unit)
  left join costs c using (organization_id, unit)
)
select v.arm, v.epoch, v.day, count(*)::double precision as units, count(*) filter (where v.unsent)::double precision as unsent,
  sum(v.value)::double precision as value, sum(v.value * v.value)::double precision as value_squared,
  count(*) filter (where v.value > 0)::double precision as valued,
  count(*) filter (where v.replied)::double precision as replied, count(*) filter (where v.meeting)::double precision as meeting,
  count(*) filter (where v.deal)::double precision as deal, count(*) filter (where v.bounced)::double precision as bounced,
  count(*) filter (where v.spam_reported)::double precision as spam_reported, count(*) filter (where v.unsubscribed)::double precision as unsubscribed,
  count(*) filter (where v.negative_reply)::double precision as negative_reply,
  sum(v.cost) as cost, sum(v.cost * v.cost) as cost_squared, coalesce(sum(v.cost) filter (where v.meeting), 0) as cost_of_met,
  coalesce(sum(v.sentiment), 0) as sentiment, count(v.sentiment)::double precision as sentiments
from valued v
group by v.arm, v.epoch, v.day
