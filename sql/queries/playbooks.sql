-- An organization's playbooks, of one campaign or all: first those that chance doesn't explain, then by what is left of the lift after shrinking.
select organization_id, campaign_id, metric, level, length, steps, leads, successes, alone, rate, expected_rate, shrunken_rate, lift, lift_low, lift_high,
  p_value, q_value, supported, window_days, as_of, made_at
from playbooks
where organization_id = %(organization_id)s and (%(campaign_id)s::text is null or campaign_id = %(campaign_id)s)
  and metric = %(metric)s and (%(level)s::text is null or level = %(level)s) and (supported or not %(only_supported)s)
order by supported desc, shrunken_rate / nullif(expected_rate, 0) desc nulls last, leads desc, id
limit %(limit)s
