-- The best playbooks of all organizations, for who runs the pipeline.
select organization_id, campaign_id, metric, level, length, steps, leads, successes, alone, rate, expected_rate, shrunken_rate, lift, lift_low, lift_high,
  p_value, q_value, supported, window_days, as_of, made_at
from playbooks
where metric = %(metric)s
order by supported desc, shrunken_rate / nullif(expected_rate, 0) desc nulls last, leads desc, id
limit %(limit)s
