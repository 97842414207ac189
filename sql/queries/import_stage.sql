-- Where a chunk of imported rows waits; gone with the session.
create temp table if not exists import_stage (
  id uuid not null, organization_id text, campaign_id text, lead_id text, channel text, subject_line text, message_body text,
  framework text, tone text, agent_decisions jsonb, experiment_arm text, sent_at timestamptz, lead_industry text, lead_role text,
  company_size text, icp_score double precision, event_key uuid, as_of timestamptz, facts jsonb
) on commit delete rows
