copy scored_training_rows (outcome_id, week, organization_id, lead_id, channel, sent_at, quality_score, training_label, training_weight, deal_closed, split_point, example, rejected) from stdin
