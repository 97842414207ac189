insert into lead_decisions (organization_id, model_id, action, numbers, reason, decided_by)
values (%(organization_id)s, %(model_id)s, %(action)s, %(numbers)s, %(reason)s, %(decided_by)s)
returning id
