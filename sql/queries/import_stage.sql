-- Where a chunk of imported rows waits; gone with the session.
create temp table if not exists import_stage (
  id uuid, event_key uuid, as_of timestamptz, facts jsonb, sent_at timestamptz, organization_id text, campaign_id text, lead_id text,
  channel text, message_body text, subject_line text, framework text, tone text, experiment_arm text,
  lead_industry text, lead_role text, company_size text, icp_score double precision, strategy_propensity double precision, agent_decisions jsonb default '{}'
) on commit delete rows
