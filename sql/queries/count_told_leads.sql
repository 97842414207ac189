select count(*)::int as told from lead_scores where organization_id = %(organization_id)s and actual_outcome is not null
