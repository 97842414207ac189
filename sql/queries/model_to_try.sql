-- A version of a scope; none named: the newest that may be used.
select model_version, model_id, trainer
from model_registry
where scope = %(scope)s and not is_base
  and case when %(version)s::text is null then status in ('ready', 'deployed') else model_version = %(version)s end
order by string_to_array(substr(model_version, 2), '.')::numeric[] desc
limit 1
