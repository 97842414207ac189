-- Which outcome each line is: the manifest beside the JSONL files.
copy (
  select json_build_object('side', s.side, 'line', s.position + 1, 'outcome_id', s.outcome_id, 'week', s.week, 'quality_score', s.quality_score,
    'training_label', s.training_label, 'training_weight', s.training_weight, 'deal_closed', s.deal_closed)
  from dataset_selection s
  order by s.side, s.position
) to stdout (format csv, quote e'\x01', delimiter e'\x02')
