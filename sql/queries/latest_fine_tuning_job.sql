select * from fine_tuning_jobs
where dataset_hash = %(dataset_hash)s and trainer = %(trainer)s and settings_hash = %(settings_hash)s
order by attempt desc
limit 1
