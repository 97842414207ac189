-- Which outcome each line is: the manifest beside the JSONL files. Put together by hand: json_build_object() takes twice as long.
copy (
  select concat('{"side":"', s.side, '","part":"', s.part, '","line":', s.line, ',"copies":', s.copies, ',"outcome_id":"', s.outcome_id, '","week":"', s.week,
    '","quality_score":', s.quality_score, ',"training_label":"', s.training_label, '","training_weight":', s.training_weight,
    ',"deal_closed":', s.deal_closed::text, ',"group":"', to_hex(s.group_key), '","tokens":', s.tokens, '}')
  from dataset_selection s
  order by s.side, s.position, s.part
) to stdout (format csv, quote e'\x01', delimiter e'\x02')
