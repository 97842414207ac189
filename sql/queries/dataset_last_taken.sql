-- The last row that still fits under the limit, best first: by quality, then weight, then time, then id.
select quality_score, training_weight, sent_at, outcome_id
from dataset_candidates(%(scope)s, %(min_quality)s)
where dropped is null
order by quality_score desc, training_weight desc, sent_at, outcome_id
offset %(limit)s - 1 limit 1
