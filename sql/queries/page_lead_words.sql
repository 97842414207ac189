select outcome, told_at, source, told_by
from lead_feedback
where organization_id = %(organization_id)s and lead_id = %(lead_id)s
order by told_at desc, id desc
limit %(most)s
