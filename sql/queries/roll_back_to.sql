select * from roll_back_to(%(registry_id)s, %(actor)s, %(reason)s)
