-- Writes requests; those that are there already stay as they are.
insert into model_requests (
  id, organization_id, scope, registry_id, model_id, campaign_id, unit, arm, role, asked_at, latency_ms, tries, success, error, prompt_tokens,
  completion_tokens, cost_usd)
select
  r.id, r.organization_id, r.scope, r.registry_id, r.model_id, r.campaign_id, r.unit, r.arm, r.role, r.asked_at, r.latency_ms, r.tries, r.success,
  r.error, r.prompt_tokens, r.completion_tokens, r.cost_usd
from jsonb_populate_recordset(null::model_requests, %(requests)s) r
on conflict (id) do nothing
