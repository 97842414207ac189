-- Of these registry ids, those that an organization can't have messages of: unknown ones, and other organizations' own.
select meant.id from unnest(%(ids)s::uuid[], %(organizations)s::text[]) as meant (id, organization_id)
where not exists (select from model_registry m where m.id = meant.id and coalesce(m.organization_id, meant.organization_id) = meant.organization_id)
limit 1
