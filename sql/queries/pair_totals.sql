-- What the chosen pairs amount to: examples and lines count pairs, tokens both of their messages.
select
  count(*) filter (where side = 'train' and part = 'preferred') as train_examples,
  count(*) filter (where side = 'validation' and part = 'preferred') as validation_examples,
  count(*) filter (where side = 'test' and part = 'preferred') as test_examples,
  count(*) filter (where side = 'train' and part = 'preferred') as train_lines,
  coalesce(sum(tokens::bigint) filter (where side = 'train'), 0)::bigint as train_tokens,
  coalesce(sum(tokens::bigint) filter (where side = 'validation'), 0)::bigint as validation_tokens,
  coalesce(sum(tokens::bigint) filter (where side = 'test'), 0)::bigint as test_tokens,
  count(*) filter (where part = 'preferred') as positive_examples, count(*) filter (where part = 'preferred' and deal_closed) as deals,
  count(distinct week) as weeks
from dataset_selection
