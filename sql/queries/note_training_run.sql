update training_requests set run_id = %(run_id)s where id::text = %(id)s
