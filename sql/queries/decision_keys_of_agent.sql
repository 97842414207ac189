select key from agent_decision_keys where organization_id = %(organization_id)s and agent = %(agent)s order by key
