-- The finished lines of one side, byte for byte: JSON has no raw control characters, so these quote and delimiter never occur.
copy (
  select r.example
  from dataset_selection s join scored_training_rows r using (outcome_id)
  where s.side = {side}
  order by s.position
) to stdout (format csv, quote e'\x01', delimiter e'\x02')
