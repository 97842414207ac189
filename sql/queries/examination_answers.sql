-- What a model answered before.
select prompt_hash, seed, text, refusal, finish_reason, prompt_tokens, completion_tokens, seconds
from model_answers
where trainer = %(trainer)s and model_id = %(model_id)s and max_tokens = %(max_tokens)s and prompt_hash = any (%(prompts)s)
