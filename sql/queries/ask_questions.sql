-- Writes down the questions that were not asked before; returns the outcomes whose were not.
insert into reply_questions (outcome_id, replied_at, prompt_version, batch_id)
select q.outcome_id, q.replied_at, %(prompt_version)s, %(batch_id)s
from unnest(%(outcome_ids)s::uuid[], %(replied_at)s::timestamptz[]) as q (outcome_id, replied_at)
order by 1, 2
on conflict do nothing
returning outcome_id
