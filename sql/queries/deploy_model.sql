select * from deploy_model(%(registry_id)s, %(traffic)s, %(arm)s, %(actor)s, %(reason)s)
