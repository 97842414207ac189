-- The finished lines of all sides, byte for byte, in the order of sending, which is the order of the index and of the selection: in blocks of 250 members,
-- of each side how many lines, and the lines, those that stand several times one beneath the other.
copy (
  with edges as materialized (
    select sent_at, outcome_id, lead(sent_at, 1, 'infinity') over in_order as next_sent_at,
      lead(outcome_id, 1, 'ffffffff-ffff-ffff-ffff-ffffffffffff') over in_order as next_id
    from (select sent_at, outcome_id, row_number() over (order by sent_at, outcome_id) as place from dataset_selection) s
    where place % 250 = 1
    window in_order as (order by sent_at, outcome_id)
  )
  select b.*
  from edges e
  cross join lateral (
    select
      coalesce(sum(m.copies) filter (where m.side = 'train'), 0)::int, string_agg(m.lines, '') filter (where m.side = 'train'),
      coalesce(sum(m.copies) filter (where m.side = 'validation'), 0)::int, string_agg(m.lines, '') filter (where m.side = 'validation'),
      coalesce(sum(m.copies) filter (where m.side = 'test'), 0)::int, string_agg(m.lines, '') filter (where m.side = 'test')
    from (
      select s.side, s.copies, case when s.copies = 1 then t.example || e'\n' else repeat(t.example || e'\n', s.copies) end as lines
      from dataset_selection s
      join scored_training_rows t on t.sent_at = s.sent_at and t.outcome_id = s.outcome_id
      where (s.sent_at, s.outcome_id) >= (e.sent_at, e.outcome_id) and (s.sent_at, s.outcome_id) < (e.next_sent_at, e.next_id)
        and (t.sent_at, t.outcome_id) >= (e.sent_at, e.outcome_id) and (t.sent_at, t.outcome_id) < (e.next_sent_at, e.next_id)
      order by s.sent_at, s.outcome_id
    ) m
  ) b
  order by e.sent_at, e.outcome_id
) to stdout (format binary)
