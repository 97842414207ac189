-- The key in force with this hash; is_due: its last use was noted more than an hour ago.
select id::text, organization_id, role, name, coalesce(last_used_at < now() - interval '1 hour', true) as is_due
from api_keys
where key_hash = %(key_hash)s and revoked_at is null
