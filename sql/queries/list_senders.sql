select first_name, last_name, company, email, phone from senders where organization_id = %(id)s order by last_name, first_name, email
