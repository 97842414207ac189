select count(*) as scored, count(*) filter (where actual_outcome is null) as waiting,
  count(*) filter (where actual_outcome is null and risk_category = 'high') as waiting_high
from lead_scores where organization_id = %(organization_id)s
