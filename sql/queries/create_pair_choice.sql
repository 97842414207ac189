-- Judges the matched pairs: within the limit, different words, both groups on this side, not too many of one winner's group.
create temp table pair_choice on commit drop as
with member as (
  select k.outcome_id, k.side, k.sent_at, coalesce(g.group_key, k.text_key) as group_key,
    first_value(k.side) over (partition by coalesce(g.group_key, k.text_key) order by k.sent_at, k.outcome_id) as group_side
  from dataset_kept k left join dataset_groups g using (text_key)
),
judged as (
  select m.winner, m.loser, m.rank, w.side, w.sent_at, w.group_key as winner_group, l.group_key as loser_group,
    case
      when w.group_key = l.group_key then 'near-duplicate of its counterpart'
      when w.group_side <> w.side or l.group_side <> l.side then 'near-duplicate of a message on another side'
    end as why
  from pair_matched m join member w on w.outcome_id = m.winner join member l on l.outcome_id = m.loser
  where m.rank <= %(limit)s
)
select winner, loser, side, sent_at, winner_group, loser_group,
  coalesce(why, case when row_number() over (partition by why is null, winner_group order by rank) > %(group_cap)s
    then 'beyond the cap of near-duplicates' end) as dropped
from judged
