-- Whether the scope is known, and its highest version where that is not below the wanted one.
with versions as (
  select model_version, case when not is_base then string_to_array(substr(model_version, 2), '.')::int[] end as numbers
  from model_registry
  where scope = %(scope)s
)
select
  %(scope)s = 'global' or exists (select from organizations where id = %(scope)s) as is_known,
  (
    select model_version from versions
    where numbers >= string_to_array(substr(%(model_version)s::text, 2), '.')::int[]
    order by numbers desc
    limit 1
  ) as newest
