-- Framework and tone over all campaigns, the most used first.
select organization_id, array_to_string(strategy, '_') as name, sum(sent)::int as sent, sum(delivered)::int as delivered, sum(opened)::int as opened,
  sum(replied)::int as replied, sum(meetings)::int as meetings, sum(deals)::int as deals, sum(revenue) as revenue
from strategy_weeks
where keys = '{framework,tone}'
group by organization_id, strategy
order by sum(sent) desc, organization_id, strategy
limit %(limit)s
