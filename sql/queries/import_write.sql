-- One snapshot event for each staged row that the ledger doesn't have yet, then the messages that are new, with what became of them.
-- Returns how many events are new, and the outcomes that need the general fold: they were there before, or have other events too.
with written as (
  insert into webhook_events (event_key, organization_id, outcome_id, event_type, occurred_at, source, facts, matched)
  select s.event_key, s.organization_id, s.id, 'snapshot', s.as_of, 'import', s.facts, true
  from import_stage s
  order by s.event_key
  on conflict (event_key) do nothing
  returning event_key, outcome_id
),
appeared as (
  insert into outcome_labels (
    id, organization_id, campaign_id, lead_id, channel, subject_line, message_body, framework, tone, agent_decisions, experiment_arm,
    sent_at, lead_industry, lead_role, company_size, icp_score, strategy_propensity,
    delivered, delivered_at, bounced, bounced_at, bounce_reason, opened, opened_at, open_count, machine_open_count,
    clicked, clicked_at, click_count, unsubscribed, unsubscribed_at, spam_reported, spam_reported_at, replied, replied_at, reply_text,
    reply_sentiment_score, sentiment_label, interest_signal, interest_level, objection_type, classification_method, classification_version,
    meeting_booked, meeting_booked_at, meeting_completed, meeting_completed_at, meeting_no_show, meeting_no_show_at,
    deal_opened, deal_opened_at, deal_closed, deal_closed_at, deal_lost, deal_lost_at, deal_value, deal_currency, event_count)
  select
    s.id, s.organization_id, s.campaign_id, s.lead_id, s.channel, s.subject_line, s.message_body, s.framework, s.tone, s.agent_decisions, s.experiment_arm,
    s.sent_at, s.lead_industry, s.lead_role, s.company_size, s.icp_score, s.strategy_propensity,
    f.delivered, f.delivered_at, f.bounced, f.bounced_at, f.bounce_reason, f.opened, f.opened_at, f.open_count, f.machine_open_count,
    f.clicked, f.clicked_at, f.click_count, f.unsubscribed, f.unsubscribed_at, f.spam_reported, f.spam_reported_at, f.replied, f.replied_at, f.reply_text,
    f.reply_sentiment_score, f.sentiment_label, f.interest_signal, f.interest_level, f.objection_type, f.classification_method, f.classification_version,
    f.meeting_booked, f.meeting_booked_at, f.meeting_completed, f.meeting_completed_at, f.meeting_no_show, f.meeting_no_show_at,
    f.deal_opened, f.deal_opened_at, f.deal_closed, f.deal_closed_at, f.deal_lost, f.deal_lost_at, f.deal_value, f.deal_currency, 1
  from written w
  join import_stage s using (event_key)
  cross join lateral outcome_of_snapshot(s.facts, s.as_of) f
  order by s.id, s.as_of
  on conflict (id) do nothing
  returning id
)
select
  (select count(*) from written) as recorded,
  array(
    select w.outcome_id
    from written w
    left join appeared a on a.id = w.outcome_id
    -- Looked up one by one: hashed, the whole ledger would be read for every chunk.
    left join lateral (select true as known from webhook_events e where e.outcome_id = w.outcome_id limit 1) e on true
    group by w.outcome_id
    having count(*) > 1 or bool_or(a.id is null) or bool_or(e.known)
    order by 1
  ) as more
