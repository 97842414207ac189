-- The connections that may report now.
select id::text, provider, organization_id, secrets, settings
from connections
where revoked_at is null
order by created_at, id
