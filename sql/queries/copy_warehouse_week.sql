-- One week of training-ready outcomes for the warehouse. CSV, because it tells an empty text ("") from none.
copy (
  select {columns}
  from training_ready_outcomes
  where week = {week}
  order by sent_at, id
) to stdout (format csv)
