-- The campaigns that have messages, of one organization or of all.
select distinct organization_id, campaign_id
from outcome_labels
where %(organization_id)s::text is null or organization_id = %(organization_id)s
order by 1, 2
