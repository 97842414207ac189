-- Judges the kept rows by their near-duplicates and the limit. A group stands on the side of its earliest member; its best members are
-- taken, by quality, then weight, then time, then id, and so are the best of all.
create temp table dataset_choice on commit drop as
with grouped as (
  select k.*, coalesce(g.group_key, k.text_key) as group_key from dataset_kept k left join dataset_groups g using (text_key)
),
sided as (
  select g.*, first_value(side) over (partition by group_key order by sent_at, outcome_id) as group_side from grouped g
),
ranked as (
  select s.*, row_number() over (
    partition by group_key, side = group_side order by quality_score desc, training_weight desc, sent_at, outcome_id) as place
  from sided s
),
judged as (
  select r.*, case
    when side <> group_side then 'near-duplicate of a message on another side'
    when place > %(group_cap)s then 'beyond the cap of near-duplicates'
  end as why
  from ranked r
)
select outcome_id, week, organization_id, lead_id, sent_at, quality_score, training_label, training_weight, deal_closed, side, text_key,
  group_key, tokens,
  coalesce(why, case
    when row_number() over (
      partition by why is null order by quality_score desc, training_weight desc, sent_at, outcome_id) > %(limit)s
    then 'beyond the limit' end) as dropped
from judged
