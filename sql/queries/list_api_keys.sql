select id::text, coalesce(organization_id, '(all)'), role, coalesce(name, ''), created_at, last_used_at, revoked_at
from api_keys
order by created_at
