-- Of these outcome ids, those of another organization than the one that was meant.
select o.id from unnest(%(ids)s::uuid[], %(organizations)s::text[]) as meant (id, organization_id) join outcome_labels o using (id)
where o.organization_id <> meant.organization_id
limit 1
