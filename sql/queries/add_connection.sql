insert into connections (organization_id, provider, name, secrets, settings)
values (%(organization_id)s, %(provider)s, %(name)s, %(secrets)s, %(settings)s)
returning id::text
