select * from archive_model(%(registry_id)s, %(actor)s, %(reason)s, %(action)s)
