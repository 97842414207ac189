-- Leads that the candidate scored out of fold, whose outcome stands, and which the deployed version has not seen, nor their like.
select r.lead_id, r.features, r.converted, r.with_outcome, r.told_at, c.out_of_fold
from lead_model_members c
join lead_training_rows r on r.organization_id = %(organization_id)s and r.lead_id = c.lead_id
where c.model_id = %(candidate)s and c.out_of_fold is not null
  and c.lead_id not in (select d.lead_id from lead_model_members d where d.model_id = %(deployed)s)
  and r.row_group not in (select d.row_group from lead_model_members d where d.model_id = %(deployed)s and d.row_group is not null)
order by r.told_at, r.lead_id collate "C"
