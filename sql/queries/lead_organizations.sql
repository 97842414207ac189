-- Organizations with any lead that was scored: one look into the index for each.
with recursive scored (organization_id) as (
  (select organization_id from lead_scores order by organization_id limit 1)
  union all
  select (select s.organization_id from lead_scores s where s.organization_id > o.organization_id order by s.organization_id limit 1)
  from scored o where o.organization_id is not null
)
select organization_id from scored where organization_id is not null order by organization_id
