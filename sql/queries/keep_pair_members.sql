-- The members of matched pairs, as far as the limit, to be grouped by their words as a dataset's are.
create temp table dataset_kept on commit drop as
select c.outcome_id, c.week, c.organization_id, c.lead_id, c.sent_at, c.quality_score, c.training_label, c.training_weight, c.deal_closed, c.side,
  c.text_key, c.tokens
from (
  select winner as outcome_id from pair_matched where rank <= %(limit)s union all select loser from pair_matched where rank <= %(limit)s
) member
join pair_candidate c using (outcome_id)
