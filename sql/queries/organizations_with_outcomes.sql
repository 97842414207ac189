-- Organizations that have sent something, or had: one of them, or all.
select g.id from organizations g
where (%(organization_id)s::text is null or g.id = %(organization_id)s)
  and (exists (select from outcome_labels o where o.organization_id = g.id) or exists (select from strategy_refreshes r where r.organization_id = g.id))
order by g.id
