select q.outcome_id
from unnest(%(outcome_ids)s::uuid[], %(replied_at)s::timestamptz[]) as q (outcome_id, replied_at)
join reply_questions k on k.outcome_id = q.outcome_id and k.replied_at = q.replied_at and k.prompt_version = %(prompt_version)s
