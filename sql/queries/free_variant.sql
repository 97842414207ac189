-- The first variant's arm that a scope has free; null where both are taken. One that another model had in the running experiment isn't: its reuse ends it.
select min(free.arm) from unnest(array['variant_a', 'variant_b']) as free (arm)
where not exists (select from model_registry m where m.scope = %(scope)s and m.status = 'deployed' and m.ab_test_group = free.arm)
  and not exists (
    select from experiments x join experiment_arms a on a.experiment_id = x.id where x.scope = %(scope)s and x.ended_at is null and a.arm = free.arm)
