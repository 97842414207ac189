-- The lesson replaces the one before; the old estimates go with it.
with outdated as (
  delete from strategy_estimates where organization_id = %(organization_id)s and keys = %(keys)s::text[]
)
insert into strategy_lessons (organization_id, keys, own, others, posteriors, mix, strategies)
values (%(organization_id)s, %(keys)s::text[], %(own)s, %(others)s, %(posteriors)s, %(mix)s, %(strategies)s)
on conflict (organization_id, keys) do update
  set own = excluded.own, others = excluded.others, posteriors = excluded.posteriors, mix = excluded.mix, strategies = excluded.strategies, made_at = excluded.made_at
