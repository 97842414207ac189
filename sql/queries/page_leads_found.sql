-- Leads whose id begins so, in any case.
select lead_id, conversion_score, risk_category, model_version, "timestamp" as scored_at, actual_outcome
from lead_scores
where organization_id = %(organization_id)s and lower(lead_id) like lower(%(begin)s) || '%%'
order by lower(lead_id), lead_id
limit %(most)s
