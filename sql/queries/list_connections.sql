-- Never the secrets themselves: only which kinds there are.
select id::text, organization_id, provider, coalesce(name, ''), array(select jsonb_object_keys(secrets)), settings, created_at, revoked_at
from connections
order by created_at
