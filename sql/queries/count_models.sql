select count(*) as total
from model_registry
where (%(status)s::text is null or status = %(status)s) and (%(organization_id)s::text is null or organization_id = %(organization_id)s)
