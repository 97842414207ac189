-- The members of a dataset, numbered on each side in the order of sending. Training lines may stand several times, in proportion to the
-- weight, whose greatest is 10.
create temp table dataset_selection as
with member as (
  select c.*, case when side = 'train' then greatest(1, round(%(repeat_up_to)s * training_weight / 10))::int else 1 end as copies
  from dataset_choice c
  where dropped is null
)
select outcome_id, week, organization_id, lead_id, sent_at, quality_score, training_label, training_weight, deal_closed, side, group_key,
  tokens, copies,
  row_number() over in_order - 1 as position,
  sum(copies) over in_order - copies + 1 as line,
  'example' as part
from member
window in_order as (partition by side order by sent_at, outcome_id)
