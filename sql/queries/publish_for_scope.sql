-- From now on this is the scope's dataset.
insert into dataset_publications (scope, dataset_hash, settings, candidates, dropped)
values (%(scope)s, %(hash)s, %(settings)s, %(candidates)s, %(dropped)s)
on conflict (scope, dataset_hash) do update set settings = excluded.settings, candidates = excluded.candidates,
  dropped = excluded.dropped, published_at = clock_timestamp()
