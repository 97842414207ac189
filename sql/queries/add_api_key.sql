insert into api_keys (organization_id, role, key_hash, name)
values (%(organization_id)s, %(role)s, %(key_hash)s, %(name)s)
returning id::text
