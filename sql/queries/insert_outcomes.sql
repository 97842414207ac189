-- Writes sent messages, and the addresses of leads that have none. A message sent twice under one id stays as it was first written.
-- With `icp_from_lead_scores`, one without an icp_score takes what the lead was scored with last when it was sent.
with addressed as (
  insert into leads (organization_id, lead_id, email, industry, role, company_size, icp_score)
  select distinct on (organization_id, lead_id) organization_id, lead_id, lead_email, lead_industry, lead_role, company_size, icp_score
  from jsonb_to_recordset(%(messages)s::jsonb) as m (
    organization_id text, lead_id text, lead_email text, sent_at timestamptz, lead_industry text, lead_role text, company_size text,
    icp_score double precision)
  where lead_email is not null
  order by organization_id, lead_id, sent_at desc
  on conflict (organization_id, lead_id) do update set email = excluded.email, updated_at = now() where leads.email is null
)
insert into outcome_labels (
  id, organization_id, campaign_id, lead_id, channel, subject_line, message_body, framework, tone, agent_decisions,
  model_registry_id, experiment_arm, strategy_propensity, sent_at, lead_industry, lead_role, company_size, icp_score)
select m.id, m.organization_id, m.campaign_id, m.lead_id, m.channel, m.subject_line, m.message_body, m.framework, m.tone,
  coalesce(m.agent_decisions, '{}'), m.model_registry_id, m.experiment_arm, m.strategy_propensity, coalesce(m.sent_at, now()),
  m.lead_industry, m.lead_role, m.company_size,
  case when m.icp_score is null and %(icp_from_lead_scores)s then (
    select s.conversion_score from lead_scorings s
    where s.organization_id = m.organization_id and s.lead_id = m.lead_id and s.scored_at <= coalesce(m.sent_at, now())
    order by s.scored_at desc, s.id desc limit 1)
  else m.icp_score end
from jsonb_to_recordset(%(messages)s::jsonb) as m (
  id uuid, organization_id text, campaign_id text, lead_id text, channel text, subject_line text, message_body text, framework text,
  tone text, agent_decisions jsonb, model_registry_id uuid, experiment_arm text, strategy_propensity double precision,
  sent_at timestamptz, lead_industry text,
  lead_role text, company_size text, icp_score double precision)
order by m.id
on conflict (id) do nothing
