-- The rows that a dataset may take, before their near-duplicates and the limit are looked at.
create temp table dataset_kept (
  outcome_id uuid, week date, organization_id text, lead_id text, sent_at timestamptz, quality_score double precision, training_label text,
  training_weight double precision, deal_closed boolean, side text, text_key bigint, tokens int
) on commit drop
