select artifact from lead_models where id = %(model_id)s
