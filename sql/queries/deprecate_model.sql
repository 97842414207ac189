select * from deprecate_model(%(registry_id)s, %(actor)s, %(reason)s)
