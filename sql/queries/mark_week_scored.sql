-- Remembers what was visible when the week was scored; in a repeatable-read transaction, the very snapshot that its rows came from.
insert into scored_weeks (week, snapshot, built_by, formula_version, rows, scored_at)
values (%(week)s, pg_current_snapshot(), %(built_by)s, formula_version(), %(rows)s, clock_timestamp())
on conflict (week) do update set server = excluded.server, snapshot = excluded.snapshot, built_by = excluded.built_by,
  formula_version = excluded.formula_version, rows = excluded.rows, scored_at = excluded.scored_at
