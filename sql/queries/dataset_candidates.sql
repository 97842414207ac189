-- How many of a scope's rows each reason leaves out; no reason: kept so far.
select dropped, count(*)
from dataset_candidates(
  %(scope)s, %(validation_share)s, %(test_share)s, %(first_week)s::date, %(channels)s::text[], %(negatives)s, %(matured_before)s::timestamptz,
  %(min_quality)s, %(max_tokens)s)
group by 1 order by 2 desc, 1
