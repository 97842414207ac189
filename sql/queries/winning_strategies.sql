-- An organization's strategies as they were learnt, with their counts, the best by a metric first. Not from the view: what is asked of its keys isn't
-- pushed down to the counts under row-level security, as comparing arrays isn't leakproof.
select e.strategy, e.estimate, e.low, e.high, e.probability_best, e.enough_data, e.reason, e.held_difference, e.held_low, e.held_high, e.warnings, e.made_at as as_of, c.*
from strategy_estimates e
join (
  select w.strategy as of_strategy, sum(w.sent)::int as sent, sum(w.delivered)::int as delivered, sum(w.opened)::int as opened, sum(w.clicked)::int as clicked,
    sum(w.replied)::int as replied, sum(w.interested)::int as interested, sum(w.meetings)::int as meetings, sum(w.deals)::int as deals, sum(w.revenue) as revenue,
    0 as reply_trials, 0 as meeting_trials, 0 as meetings_in_time, 0 as deal_trials, 0 as deals_in_time
  from strategy_weeks w
  where w.organization_id = %(organization_id)s and w.keys = %(keys)s::text[]
  group by w.strategy
) c on c.of_strategy = e.strategy
where e.organization_id = %(organization_id)s and e.keys = %(keys)s::text[] and e.metric = %(metric)s and c.sent >= %(min_samples)s
order by e.estimate desc, e.strategy
limit %(limit)s
