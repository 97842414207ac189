-- The exports of these weeks that must be written again.
select destination, table_name, schema_version, week
from warehouse_exports
where due and week = any(%(weeks)s)
order by destination, table_name, schema_version, week
