-- The deployed model that a candidate is compared with: the scope's own control, else the global one. One whose base is switched off can't answer.
select id, trainer, model_id
from model_registry
where scope in (%(scope)s, 'global') and status = 'deployed' and ab_test_group = 'control' and model_id <> %(candidate)s
  and (base_ends_on is null or base_ends_on > (now() at time zone 'UTC')::date)
order by scope = %(scope)s desc, deployed_at desc
limit 1
