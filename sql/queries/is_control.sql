select exists (select from model_registry where id = %(registry_id)s and status = 'deployed' and ab_test_group = 'control')
