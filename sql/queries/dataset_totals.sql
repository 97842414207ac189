-- What a selection amounts to.
select
  count(*) filter (where side = 'train') as train_examples, count(*) filter (where side = 'validation') as validation_examples,
  count(*) filter (where side = 'test') as test_examples,
  coalesce(sum(copies) filter (where side = 'train'), 0) as train_lines,
  coalesce(sum(tokens::bigint * copies) filter (where side = 'train'), 0)::bigint as train_tokens,
  coalesce(sum(tokens::bigint) filter (where side = 'validation'), 0)::bigint as validation_tokens,
  coalesce(sum(tokens::bigint) filter (where side = 'test'), 0)::bigint as test_tokens,
  count(*) filter (where training_label = 'positive_example') as positive_examples, count(*) filter (where deal_closed) as deals,
  count(distinct week) as weeks
from dataset_selection
