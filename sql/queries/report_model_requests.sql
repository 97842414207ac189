-- How each model fared since a time: requests written, and those that still wait to be (rows of model_requests as JSON).
with requests as (
  select * from model_requests
  union all
  select w.* from jsonb_populate_recordset(null::model_requests, %(waiting)s) w
  where not exists (select from model_requests r where r.id = w.id)
)
select
  model_id,
  coalesce(avg(cost_usd), 'NaN') as avg_cost,
  coalesce(avg(latency_ms) filter (where success), 'NaN') as avg_latency_ms,
  coalesce(percentile_cont(0.99) within group (order by latency_ms) filter (where success), 'NaN') as p99_latency_ms,
  avg(success::int)::double precision as success_rate,
  count(*) as total_requests,
  count(*) / sum(count(*)) over ()::double precision as share,
  coalesce(sum(cost_usd), 0) as total_cost,
  count(*) filter (where prompt_tokens is not null and cost_usd is null) as unpriced_requests,
  count(*) filter (where role = 'fallback') as fallback_requests
from requests
where asked_at >= %(since)s
  and (%(organization_id)s::text is null or organization_id = %(organization_id)s)
  and (%(role)s::text is null or role = %(role)s)
group by model_id
order by total_requests desc, model_id
