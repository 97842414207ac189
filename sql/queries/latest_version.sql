-- The highest version of a scope, by number, and the format of its examples.
select model_version, example_format
from model_registry
where scope = %(scope)s and not is_base
order by string_to_array(substr(model_version, 2), '.')::numeric[] desc
limit 1
