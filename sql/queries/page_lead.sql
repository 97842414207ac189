select lead_id, age, location, industry, email_opens, website_visits, content_downloads, days_since_contact, lead_source, attributes,
  conversion_score, risk_category, model_version, "timestamp" as scored_at, actual_outcome
from lead_scores
where organization_id = %(organization_id)s and lead_id = %(lead_id)s
