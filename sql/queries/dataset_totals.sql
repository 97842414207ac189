-- What a selection amounts to. A pair is one example, with the tokens of both of its messages.
select
  count(*) filter (where side = 'train' and part <> 'rejected') as train_examples,
  count(*) filter (where side = 'validation' and part <> 'rejected') as validation_examples,
  count(*) filter (where side = 'test' and part <> 'rejected') as test_examples,
  coalesce(sum(copies) filter (where side = 'train' and part <> 'rejected'), 0) as train_lines,
  coalesce(sum(tokens::bigint * copies) filter (where side = 'train'), 0)::bigint as train_tokens,
  coalesce(sum(tokens::bigint) filter (where side = 'validation'), 0)::bigint as validation_tokens,
  coalesce(sum(tokens::bigint) filter (where side = 'test'), 0)::bigint as test_tokens,
  count(*) filter (where training_label = 'positive_example' and part <> 'rejected') as positive_examples,
  count(*) filter (where deal_closed and part <> 'rejected') as deals,
  count(distinct week) as weeks
from dataset_selection
