-- How many of a scope's rows are neither winners nor losers, by why; no reason: one of them. A winner had success, a loser was received, and refused
-- or met with silence that lasted.
select coalesce(dropped, why_no_pair(training_label, delivered, silent)) as why, count(*)
from dataset_candidates(
  %(scope)s, %(validation_share)s, %(test_share)s, %(first_week)s::date, %(channels)s::text[], true, %(matured_before)s::timestamptz,
  0, %(max_tokens)s)
group by 1 order by 2 desc, 1
