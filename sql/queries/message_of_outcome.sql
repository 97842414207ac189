-- What a reply answers, and to whom it was sent.
select organization_id, subject_line, message_body, lead_industry, lead_role, company_size
from outcome_labels
where id = %(outcome_id)s and (%(organization_id)s::text is null or organization_id = %(organization_id)s)
