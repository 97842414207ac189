-- Remembers what was visible when the week was read; in a repeatable-read transaction, the very snapshot that its rows came from. Fails
-- there when the week has become due meanwhile.
update warehouse_exports
set due = false, server = server_id(), snapshot = pg_current_snapshot(), formula_version = formula_version(), rows = %(rows)s, bytes = %(bytes)s, exported_at = clock_timestamp()
where destination = %(destination)s and table_name = %(table)s and schema_version = %(version)s and week = %(week)s
