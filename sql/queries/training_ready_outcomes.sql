-- An organisation's outcomes that have a label, best first.
select *
from training_ready_outcomes
where organization_id = %(organization_id)s and quality_score >= %(min_quality)s
order by quality_score desc, training_weight desc, sent_at, id
limit %(limit)s
