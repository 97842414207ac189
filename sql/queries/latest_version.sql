-- The highest version of a scope, by number, and the format of its examples.
select model_version, example_format
from model_registry
where scope = %(scope)s
order by string_to_array(substr(model_version, 2), '.')::int[] desc
limit 1
