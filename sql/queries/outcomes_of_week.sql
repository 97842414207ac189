-- The training-ready outcomes sent in one week, in the order of their sending.
select id, organization_id, lead_id, channel, subject_line, message_body, framework, tone, lead_industry, lead_role, company_size,
  sent_at, replied, meeting_booked, meeting_completed, deal_closed, deal_value, quality_score, training_label, training_weight
from training_ready_outcomes
where sent_at >= %(start)s and sent_at < %(end)s
order by sent_at, id
