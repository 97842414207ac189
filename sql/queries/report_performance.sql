-- Totals that were measured elsewhere; a later report of the same source takes the place of the earlier one.
insert into reported_performance (registry_id, source, messages_sent, replies, meetings_booked, deals_closed, revenue)
values (%(registry_id)s, %(source)s, %(messages_sent)s, %(replies)s, %(meetings_booked)s, %(deals_closed)s, %(revenue)s)
on conflict (registry_id, source) do update set
  messages_sent = excluded.messages_sent, replies = excluded.replies, meetings_booked = excluded.meetings_booked,
  deals_closed = excluded.deals_closed, revenue = excluded.revenue, reported_at = now()
returning *
