select * from roll_back(%(scope)s, %(actor)s, %(reason)s)
