-- How many candidates each reason leaves out; no reason: kept so far.
select dropped, count(*) from dataset_candidates(%(scope)s, %(min_quality)s) group by 1 order by 2 desc, 1
