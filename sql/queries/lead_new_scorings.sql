-- What a version scored last, one scoring a lead: of the newest two thousand any one of the lead's.
select features, conversion_score
from (
  select distinct on (n.lead_id) n.id, n.features, n.conversion_score
  from (
    select id, lead_id, features, conversion_score from lead_scorings
    where organization_id = %(organization_id)s and model_version = %(version)s
    order by id desc limit 2000
  ) n
  order by n.lead_id, md5(n.id::text)
) one
order by id desc limit %(limit)s
