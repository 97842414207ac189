select * from promote_model(%(registry_id)s, %(actor)s, %(reason)s)
