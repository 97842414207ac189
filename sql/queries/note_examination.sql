update scope_trainings set examination = %(examination)s, changed_at = clock_timestamp() where scope = %(scope)s and job = %(job)s
