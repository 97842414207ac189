-- Says that a week may stand in a destination from now on; one that is known keeps what is known of it.
insert into warehouse_exports (destination, table_name, schema_version, week)
values (%(destination)s, %(table)s, %(version)s, %(week)s)
on conflict do nothing
