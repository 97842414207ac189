-- Winners and losers, before they are matched.
create temp table pair_candidate (
  outcome_id uuid, week date, organization_id text, lead_id text, sent_at timestamptz, quality_score double precision, training_label text,
  training_weight double precision, deal_closed boolean, side text, text_key bigint, tokens int, won boolean, audience bigint
) on commit drop
