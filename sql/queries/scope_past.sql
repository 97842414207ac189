-- What a scope's leads were worth lately: those who got their first message within the window, how many a week, and the mean and variance of
-- their value within `age` of it, of those it was sent to so long ago. The global scope has the leads of organizations
-- without a model of their own.
with messages as (
  select o.organization_id, o.lead_id, o.sent_at, min(o.sent_at) over (partition by o.organization_id, o.lead_id) as first_at,
    o.deal_closed, o.deal_closed_at, o.meeting_booked, o.meeting_booked_at, o.replied, o.replied_at
  from outcome_labels o
  where o.sent_at > %(now)s - %(window)s::interval and o.sent_at <= %(now)s
    and case when %(scope)s = 'global'
      then o.organization_id not in (select m.organization_id from model_registry m where m.status = 'deployed' and m.organization_id is not null)
      else o.organization_id = %(scope)s end
), units as (
  select m.first_at,
    message_value(
      bool_or(m.deal_closed and coalesce(m.deal_closed_at, m.sent_at) <= m.first_at + %(age)s)::int,
      bool_or(m.meeting_booked and coalesce(m.meeting_booked_at, m.sent_at) <= m.first_at + %(age)s)::int,
      bool_or(m.replied and coalesce(m.replied_at, m.sent_at) <= m.first_at + %(age)s)::int) as value
  from messages m
  where m.sent_at < m.first_at + %(age)s
  group by m.organization_id, m.lead_id, m.first_at
)
select count(*) as units,
  count(*) / greatest(1, extract(epoch from %(now)s - min(first_at)) / 604800)::double precision as units_a_week,
  count(*) filter (where first_at <= %(now)s - %(age)s) as judged,
  (avg(value) filter (where first_at <= %(now)s - %(age)s))::double precision as value_mean,
  (var_samp(value) filter (where first_at <= %(now)s - %(age)s))::double precision as value_variance,
  avg((value > 0)::int) filter (where first_at <= %(now)s - %(age)s)::double precision as event_share
from units
