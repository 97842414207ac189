-- An error if a lead of the chunk was erased. Where nobody ever was, the chunk isn't read.
select refuse_erased(array_agg(organization_id), array_agg(lead_id), array_agg(id), null)
from (select organization_id, lead_id, id from import_stage where exists (select from erased_leads)) staged
having count(*) > 0
