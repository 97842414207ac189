-- The decision on the candidate against the same deployed version by the same rule, if there was one.
select id, action, reason, numbers
from lead_decisions
where organization_id = %(organization_id)s and model_id = %(candidate)s and action <> 'roll_back'
  and numbers ->> 'deployed' is not distinct from %(deployed)s and numbers ->> 'policy' = %(policy)s
order by id desc limit 1
