-- What is said of leads (null takes back), and which of it is new (0027).
select known, heard
from tell_leads(%(organization_id)s, %(lead_ids)s::text[], %(outcomes)s::boolean[], %(told_at)s::timestamptz[], %(source)s, %(told_by)s)
order by place
