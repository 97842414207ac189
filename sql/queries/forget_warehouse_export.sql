-- An export that is gone.
delete from warehouse_exports
where destination = %(destination)s and table_name = %(table)s and schema_version = %(version)s and week = %(week)s
