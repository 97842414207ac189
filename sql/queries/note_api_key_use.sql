update api_keys set last_used_at = now() where id::text = %(id)s
