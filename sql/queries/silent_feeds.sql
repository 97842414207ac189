-- Sources that told something on most days of the four weeks before, and nothing in the last days: a webhook that broke looks like a bad model.
-- What imports, classifiers and people add is no feed.
select source, max(received_at) as last_received_at, count(*) as events
from webhook_events
where received_at > %(as_of)s - interval '31 days' and received_at <= %(as_of)s
  and event_type not in ('snapshot', 'reply_classified', 'noted', 'merged')
  and (%(organization_id)s::text is null or organization_id = %(organization_id)s)
group by source
having count(*) filter (where received_at > %(as_of)s - interval '3 days') = 0
  and count(distinct received_at::date) filter (where received_at <= %(as_of)s - interval '3 days') >= 14
order by source
