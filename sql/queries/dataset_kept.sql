-- Sorts a scope's rows: those that a dataset may take go on, the others are counted by why they don't (null: kept so far). One reading.
with candidate as materialized (
  select r.outcome_id, r.week, r.organization_id, r.lead_id, r.sent_at, r.quality_score, r.training_label, r.training_weight, r.deal_closed,
    dataset_side(r.split_point, %(validation_share)s, %(test_share)s) as side, r.text_key, r.tokens,
    why_dropped(r, %(scope)s, g.allows_global_training, %(first_week)s::date, %(channels)s::text[], %(negatives)s,
      %(matured_before)s::timestamptz, %(min_quality)s, %(max_tokens)s) as dropped
  from scored_training_rows r
  join organizations g on g.id = r.organization_id
  where %(scope)s = 'global' or r.organization_id = %(scope)s
),
kept as (
  insert into dataset_kept
  select outcome_id, week, organization_id, lead_id, sent_at, quality_score, training_label, training_weight, deal_closed, side, text_key, tokens
  from candidate
  where dropped is null
)
select dropped, count(*) from candidate group by 1 order by 2 desc, 1
