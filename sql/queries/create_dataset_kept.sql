-- The rows that a dataset may take, before their near-duplicates and the limit are looked at.
create temp table dataset_kept on commit drop as
select outcome_id, week, organization_id, lead_id, sent_at, quality_score, training_label, training_weight, deal_closed, side, text_key, tokens
from dataset_candidates(
  %(scope)s, %(validation_share)s, %(test_share)s, %(first_week)s::date, %(channels)s::text[], %(negatives)s, %(matured_before)s::timestamptz,
  %(min_quality)s, %(max_tokens)s)
where dropped is null
