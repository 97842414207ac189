-- Leads whose outcome nobody said yet, the likeliest to convert first, after a place in this order.
select lead_id, conversion_score, risk_category, model_version, "timestamp" as scored_at, actual_outcome
from lead_scores
where organization_id = %(organization_id)s and actual_outcome is null
  and (%(after_score)s::double precision is null or conversion_score <= %(after_score)s)
  and (%(after_score)s::double precision is null or conversion_score < %(after_score)s or lead_id > %(after_lead)s)
order by conversion_score desc, lead_id
limit %(most)s
