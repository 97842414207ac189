-- What came of questions. One that was neither answered nor paid for (released) may be asked again.
with told as (
  select * from jsonb_to_recordset(%(answers)s) as a (
    outcome_id uuid, replied_at timestamptz, answer text, released boolean, prompt_tokens int, completion_tokens int, cost_usd numeric)
),
released as (
  delete from reply_questions q using told t
  where t.released and q.outcome_id = t.outcome_id and q.replied_at = t.replied_at and q.prompt_version = %(prompt_version)s
)
update reply_questions q
set answered_at = now(), answer = t.answer, prompt_tokens = t.prompt_tokens, completion_tokens = t.completion_tokens, cost_usd = t.cost_usd
from told t
where not t.released and q.outcome_id = t.outcome_id and q.replied_at = t.replied_at and q.prompt_version = %(prompt_version)s
