select scored_at, conversion_score, risk_category, model_version, reasons, source
from lead_scorings
where organization_id = %(organization_id)s and lead_id = %(lead_id)s
order by scored_at desc, id desc
limit %(most)s
