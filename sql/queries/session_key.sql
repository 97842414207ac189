select key_hash from sessions where id = %(id)s and expires_at > now()
