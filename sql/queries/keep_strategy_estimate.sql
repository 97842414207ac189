insert into strategy_estimates (
  organization_id, keys, metric, strategy, estimate, low, high, probability_best, enough_data, reason, held_difference, held_low, held_high, warnings)
values (
  %(organization_id)s, %(keys)s::text[], %(metric)s, %(strategy)s, %(estimate)s, %(low)s, %(high)s, %(probability_best)s, %(enough_data)s, %(reason)s,
  %(held_difference)s, %(held_low)s, %(held_high)s, %(warnings)s)
