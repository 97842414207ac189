-- Counts by stage, and how new the outcomes are; of one organisation, or of all.
select
  count(*) as sent,
  count(*) filter (where delivered) as delivered,
  count(*) filter (where opened) as opened,
  count(*) filter (where clicked) as clicked,
  count(*) filter (where replied) as replied,
  count(*) filter (where replied and interest_signal) as interested,
  count(*) filter (where meeting_booked) as meeting_booked,
  count(*) filter (where meeting_completed) as meeting_completed,
  count(*) filter (where deal_closed) as deal_closed,
  count(*) filter (where bounced) as bounced,
  count(*) filter (where unsubscribed) as unsubscribed,
  count(distinct organization_id) as organizations,
  count(distinct (organization_id, lead_id)) as leads,
  count(distinct outcome_week(sent_at)) as weeks,
  min(sent_at) as first_sent,
  max(updated_at) as newest_change,
  count(*) filter (where sent_at < %(first_week)s) as before_first_week,
  (select count(*) from webhook_events where %(organization_id)s::text is null or organization_id = %(organization_id)s) as events,
  (select count(*) from webhook_events where not matched and (%(organization_id)s::text is null or organization_id = %(organization_id)s)) as unmatched_events
from outcome_labels
where %(organization_id)s::text is null or organization_id = %(organization_id)s
