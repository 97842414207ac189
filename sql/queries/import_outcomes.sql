-- Staged messages that are new, written with what became of them, folded from the ledger as for any other event.
insert into outcome_labels (
  id, organization_id, campaign_id, lead_id, channel, subject_line, message_body, framework, tone, agent_decisions, experiment_arm,
  sent_at, lead_industry, lead_role, company_size, icp_score,
  delivered, delivered_at, bounced, bounced_at, bounce_reason, opened, opened_at, open_count, machine_open_count,
  clicked, clicked_at, click_count, unsubscribed, unsubscribed_at, spam_reported, spam_reported_at, replied, replied_at, reply_text,
  reply_sentiment_score, sentiment_label, interest_signal, interest_level, objection_type, classification_method, classification_version,
  meeting_booked, meeting_booked_at, meeting_completed, meeting_completed_at, meeting_no_show, meeting_no_show_at,
  deal_opened, deal_opened_at, deal_closed, deal_closed_at, deal_lost, deal_lost_at, deal_value, deal_currency, event_count)
select distinct on (s.id)
  s.id, s.organization_id, s.campaign_id, s.lead_id, s.channel, s.subject_line, s.message_body, s.framework, s.tone, s.agent_decisions, s.experiment_arm,
  s.sent_at, s.lead_industry, s.lead_role, s.company_size, s.icp_score,
  f.delivered, f.delivered_at, f.bounced, f.bounced_at, f.bounce_reason, f.opened, f.opened_at, f.open_count, f.machine_open_count,
  f.clicked, f.clicked_at, f.click_count, f.unsubscribed, f.unsubscribed_at, f.spam_reported, f.spam_reported_at, f.replied, f.replied_at, f.reply_text,
  f.reply_sentiment_score, f.sentiment_label, f.interest_signal, f.interest_level, f.objection_type, f.classification_method, f.classification_version,
  f.meeting_booked, f.meeting_booked_at, f.meeting_completed, f.meeting_completed_at, f.meeting_no_show, f.meeting_no_show_at,
  f.deal_opened, f.deal_opened_at, f.deal_closed, f.deal_closed_at, f.deal_lost, f.deal_lost_at, f.deal_value, f.deal_currency, f.event_count
from import_stage s
join outcome_fold(%(new)s) f on f.outcome_id = s.id
order by s.id, s.as_of
on conflict (id) do nothing
