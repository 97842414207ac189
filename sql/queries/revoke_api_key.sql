update api_keys set revoked_at = now() where id::text = %(id)s and revoked_at is null
