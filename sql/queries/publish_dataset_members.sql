-- The same lines may come from other outcomes than before; whatever was a member of them stays one, as models may have been made of it.
insert into dataset_members (dataset_hash, outcome_id, week, side, part, position, copies, tokens, group_key, quality_score, training_label, training_weight)
select %(hash)s, outcome_id, week, side, part, position, copies, tokens, group_key, quality_score, training_label, training_weight
from dataset_selection
on conflict (dataset_hash, outcome_id) do update set
  week = excluded.week, side = excluded.side, part = excluded.part, position = excluded.position, copies = excluded.copies, tokens = excluded.tokens,
  group_key = excluded.group_key, quality_score = excluded.quality_score, training_label = excluded.training_label,
  training_weight = excluded.training_weight
