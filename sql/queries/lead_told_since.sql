-- Leads told of that a version has not seen, nor their like, the newest last; features that came with the outcome may know of it.
select * from (
  select r.features, r.converted, r.told_at, r.lead_id
  from lead_training_rows r
  where r.organization_id = %(organization_id)s and not r.with_outcome
    and r.lead_id not in (select d.lead_id from lead_model_members d where d.model_id = %(model_id)s)
    and r.row_group not in (select d.row_group from lead_model_members d where d.model_id = %(model_id)s and d.row_group is not null)
  order by r.told_at desc, r.lead_id collate "C" limit %(limit)s
) newest
order by told_at, lead_id collate "C"
