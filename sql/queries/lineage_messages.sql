-- The messages of a dataset by week, side and label: how many, in how many lines, and with how many tokens of an epoch.
select week, side, training_label, count(*) as messages, sum(copies)::bigint as lines, sum(tokens::bigint * copies)::bigint as tokens
from dataset_members
where dataset_hash = %(hash)s
group by week, side, training_label
order by week, array_position(array['train', 'validation', 'test'], side), training_label
