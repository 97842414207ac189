select * from set_baseline(%(registry_id)s, %(actor)s, %(reason)s)
