-- The finished lines of all sides, byte for byte, each behind its side (T, V or X) and how often it stands there. In the order of sending, which
-- is the order of the index and of the selection.
copy (
  select (case s.side when 'train' then 'T' when 'validation' then 'V' else 'X' end)::"char", s.copies::smallint, t.example
  from dataset_selection s
  join scored_training_rows t on t.sent_at = s.sent_at and t.outcome_id = s.outcome_id
  order by s.sent_at, s.outcome_id
) to stdout (format binary)
