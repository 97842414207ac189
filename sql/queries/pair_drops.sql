-- How many winners and losers each reason leaves out; no reason: taken.
select 'no counterpart of the same audience' as dropped, count(*)
from pair_candidate c
where not exists (select from pair_matched m where m.winner = c.outcome_id) and not exists (select from pair_matched m where m.loser = c.outcome_id)
having count(*) > 0
union all
select 'beyond the limit', 2 * count(*) from pair_matched where rank > %(limit)s having count(*) > 0
union all
select dropped, 2 * count(*) from pair_choice group by 1
