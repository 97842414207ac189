-- The exports of these weeks that must be written again.
select destination, table_name, schema_version, week, snapshot is not null as was_exported
from warehouse_exports
where due and week = any(%(weeks)s)
order by destination, table_name, schema_version, week
