-- What control's messages were worth before an experiment, at the same age: their mean value, and how many.
select avg(message_value(
    (o.deal_closed and coalesce(o.deal_closed_at, o.sent_at) <= o.sent_at + %(age)s)::int,
    (o.meeting_booked and coalesce(o.meeting_booked_at, o.sent_at) <= o.sent_at + %(age)s)::int,
    (o.replied and coalesce(o.replied_at, o.sent_at) <= o.sent_at + %(age)s)::int))::double precision as mean,
  count(*) as messages
from outcome_labels o
where o.model_registry_id = %(control_id)s and o.sent_at < %(started_at)s and o.sent_at >= %(started_at)s - interval '90 days'
  and o.sent_at <= %(as_of)s - %(age)s
