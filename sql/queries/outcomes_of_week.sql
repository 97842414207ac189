-- The training-ready outcomes sent in one week, in the order of their sending, with what is known of their leads.
select o.id, o.organization_id, o.lead_id, o.channel, o.subject_line, o.message_body, o.framework, o.tone, o.lead_industry, o.lead_role,
  o.company_size, o.sent_at, o.delivered, o.replied, o.meeting_booked, o.meeting_completed, o.deal_closed, o.deal_value,
  o.quality_score, o.training_label, o.training_weight,
  o.training_label = 'neutral' and not (o.clicked or o.replied or o.deal_opened or o.deal_lost or o.meeting_no_show) as silent,
  l.first_name, l.last_name, l.company, l.email, l.phone
from training_ready_outcomes o
left join leads l using (organization_id, lead_id)
where o.week = %(week)s
order by o.sent_at, o.id
