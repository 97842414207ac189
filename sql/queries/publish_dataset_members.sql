insert into dataset_members (dataset_hash, outcome_id, week, side, part, position, copies, tokens, group_key, quality_score, training_label, training_weight)
select %(hash)s, outcome_id, week, side, part, position, copies, tokens, group_key, quality_score, training_label, training_weight
from dataset_selection
on conflict do nothing
