-- What there is to learn from, in the outcomes that whoever asks may see.
select
  count(*) as total_examples,
  count(*) filter (where training_label = 'positive_example') as positive_examples,
  count(*) filter (where training_label = 'negative_example') as negative_examples,
  count(*) filter (where training_label = 'neutral') as neutral_examples,
  count(*) filter (where deal_closed) as deals_closed,
  count(*) filter (where meeting_booked) as meetings_booked,
  count(*) filter (where replied) as replies
from training_ready_outcomes
