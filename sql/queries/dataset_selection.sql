-- The members of a dataset, numbered on each side in the order of sending. Streams from the index on (sent_at, outcome_id).
create temp table dataset_selection on commit drop as
select c.outcome_id, c.week, c.organization_id, c.lead_id, c.quality_score, c.training_label, c.training_weight, c.deal_closed,
  s.side, row_number() over (partition by s.side order by c.sent_at, c.outcome_id) - 1 as position
from dataset_candidates(%(scope)s, %(min_quality)s) c
cross join lateral (select case when c.split_point < %(validation_share)s then 'validation' else 'train' end as side) s
where c.dropped is null
  and (%(last_quality)s::double precision is null
    or c.quality_score > %(last_quality)s
    or (c.quality_score = %(last_quality)s and (c.training_weight > %(last_weight)s
      or (c.training_weight = %(last_weight)s and (c.sent_at, c.outcome_id) <= (%(last_sent_at)s, %(last_id)s)))))
