-- One playbook.
insert into playbooks (
  organization_id, campaign_id, metric, level, length, steps, leads, successes, alone, expected_rate, shrunken_rate, lift, lift_low, lift_high,
  p_value, q_value, supported, window_days, as_of)
values (
  %(organization_id)s, %(campaign_id)s, %(metric)s, %(level)s, %(length)s, %(steps)s, %(leads)s, %(successes)s, %(alone)s, %(expected_rate)s,
  %(shrunken_rate)s, %(lift)s, %(lift_low)s, %(lift_high)s, %(p_value)s, %(q_value)s, %(supported)s, %(window_days)s, %(as_of)s)
