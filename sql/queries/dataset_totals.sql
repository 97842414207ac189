-- What a selection amounts to.
select
  count(*) filter (where side = 'train') as train, count(*) filter (where side = 'validation') as validation,
  count(*) filter (where training_label = 'positive_example') as positive, count(*) filter (where deal_closed) as deals,
  count(distinct week) as weeks, round(avg(quality_score)::numeric, 4) as mean_quality,
  (select count(*) from (
    select organization_id, lead_id from dataset_selection group by 1, 2 having count(distinct side) > 1) twice) as leads_on_both_sides
from dataset_selection
