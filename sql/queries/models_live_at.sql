select * from models_live_at(%(organization_id)s, %(moment)s)
