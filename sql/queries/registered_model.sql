select * from model_registry
where scope = %(scope)s and dataset_hash = %(dataset_hash)s and trainer = %(trainer)s and settings_hash = %(settings_hash)s
