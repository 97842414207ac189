-- Weeks of other versions of the schema, where a table holds one version only.
delete from warehouse_exports
where destination = %(destination)s and table_name = %(table)s and week = %(week)s and schema_version <> %(version)s
