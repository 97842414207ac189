-- When a base is switched off. What is not `known` for certain makes no date later, and forgets none.
with told as (
  select id, case when %(known)s then %(ends_on)s::date else least(base_ends_on, %(ends_on)s::date) end as ends_on
  from model_registry
  where trainer = %(trainer)s and base_model = %(base_model)s
)
update model_registry m set base_ends_on = told.ends_on
from told
where m.id = told.id and m.base_ends_on is distinct from told.ends_on
