-- The strategies (framework and tone) that are worth most by a metric, of an organization or of all (null), with their raw rate a message.
with best as materialized (
  select * from strategy_estimates
  where keys = '{framework,tone}' and metric = %(metric)s and (%(organization_id)s::text is null or organization_id = %(organization_id)s)
  order by estimate desc, organization_id, strategy
  limit %(strategies)s
),
  counted as (
    select organization_id, strategy, sum(sent) as sent, sum(replied) as replied, sum(meetings) as meetings, sum(deals) as deals
    from strategy_weeks
    where organization_id = any (array(select organization_id from best)) and keys = '{framework,tone}'
    group by organization_id, strategy
  )
select b.organization_id, array_to_string(b.strategy, '_') as name, c.sent,
  metric_value(b.metric, c.deals, c.meetings, c.replied)::double precision / c.sent as raw,
  b.estimate, b.low, b.high, b.probability_best, b.enough_data, b.reason, b.warnings
from best b join counted c on c.organization_id = b.organization_id and c.strategy = b.strategy
order by b.estimate desc, b.organization_id, b.strategy
