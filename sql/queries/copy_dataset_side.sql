-- The finished lines of one side, byte for byte: JSON has no raw control characters, so these quote and delimiter never occur. In the
-- same order as the selection, but straight from the index on (sent_at, outcome_id): joining and sorting lines would cost more than reading them.
copy (
  select t.example
  from dataset_taken({scope}, {min_quality}, {validation_share}, {last_quality}, {last_weight}, {last_sent_at}, {last_id}) t
  where t.side = {side}
  order by t.sent_at, t.outcome_id
) to stdout (format csv, quote e'\x01', delimiter e'\x02')
