-- The messages of a dataset, one by one, in the order of its manifest.
select outcome_id, week, side, part, position, copies, tokens, quality_score, training_label, training_weight
from dataset_members
where dataset_hash = %(hash)s
order by array_position(array['train', 'validation', 'test'], side), position, part
