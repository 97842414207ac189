select coalesce(max(id), 0) from lead_feedback where organization_id = %(organization_id)s
