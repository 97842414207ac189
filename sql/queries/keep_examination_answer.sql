-- Keeps an answer, unless a lead of the dataset was erased meanwhile; an erasure waits for the row, and then finds the answer.
with held as (
  select hash from datasets where hash = %(dataset_hash)s and erased_at is null for share
)
insert into model_answers (
  trainer, model_id, prompt_hash, seed, max_tokens, outcome_id, text, refusal, finish_reason, prompt_tokens, completion_tokens, seconds)
select
  %(trainer)s, %(model_id)s, %(prompt_hash)s, %(seed)s, %(max_tokens)s, %(outcome_id)s, %(text)s, %(refusal)s, %(finish_reason)s,
  %(prompt_tokens)s, %(completion_tokens)s, %(seconds)s
from held
on conflict do nothing
