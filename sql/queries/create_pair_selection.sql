-- The members of the pairs that are taken, both with the place of their line.
create temp table dataset_selection as
with line as (
  select p.*, row_number() over (partition by side order by sent_at, winner) - 1 as position from pair_choice p where dropped is null
),
member as (
  select winner as outcome_id, 'preferred' as part, side, position, winner_group as group_key from line
  union all
  select loser, 'rejected', side, position, loser_group from line
)
select k.outcome_id, k.week, k.organization_id, k.lead_id, k.sent_at, k.quality_score, k.training_label, k.training_weight, k.deal_closed, m.side,
  m.group_key, k.tokens, 1 as copies, m.position, m.position + 1 as line, m.part
from member m join dataset_kept k using (outcome_id)
