-- The members of a dataset, numbered on each side in the order of sending.
create temp table dataset_selection on commit drop as
select t.outcome_id, t.week, t.organization_id, t.lead_id, t.quality_score, t.training_label, t.training_weight, t.deal_closed, t.side,
  row_number() over (partition by t.side order by t.sent_at, t.outcome_id) - 1 as position
from dataset_taken(
  %(scope)s, %(min_quality)s, %(validation_share)s,
  %(last_quality)s::double precision, %(last_weight)s::double precision, %(last_sent_at)s::timestamptz, %(last_id)s::uuid) t
