copy scored_training_rows (
  outcome_id, week, organization_id, lead_id, channel, lead_industry, lead_role, sent_at, delivered, silent, quality_score, training_label,
  training_weight, deal_closed, split_point, text_key, tokens, example, rejected
) from stdin
