insert into senders (organization_id, first_name, last_name, company, email, phone)
values (%(id)s, %(first_name)s, %(last_name)s, %(company)s, %(email)s, %(phone)s)
on conflict do nothing
