-- Each winner meets a loser of its audience, the best the one that was refused most clearly; nobody twice. `pair` is the winner's id.
create temp table pair_matched on commit drop as
with ranked as (
  select c.*, row_number() over (
    partition by audience, won
    order by case when won then -quality_score end, case when not won then training_label end, case when not won then quality_score end,
      training_weight desc, sent_at, outcome_id) as place
  from pair_candidate c
)
select w.outcome_id as winner, l.outcome_id as loser, w.text_key as winner_text, l.text_key as loser_text,
  row_number() over (order by w.quality_score desc, w.training_weight desc, w.sent_at, w.outcome_id) as rank
from ranked w
join ranked l on l.audience = w.audience and l.place = w.place
where w.won and not l.won
