-- Remembers what was visible when the week was scored; in a repeatable-read transaction, the very snapshot that its rows came from.
insert into scored_weeks (week, snapshot, example_format, formula_version, rows, scored_at)
values (%(week)s, pg_current_snapshot(), %(example_format)s, formula_version(), %(rows)s, clock_timestamp())
on conflict (week) do update set snapshot = excluded.snapshot, example_format = excluded.example_format,
  formula_version = excluded.formula_version, rows = excluded.rows, scored_at = excluded.scored_at
