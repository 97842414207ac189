delete from reply_questions k
using unnest(%(outcome_ids)s::uuid[], %(replied_at)s::timestamptz[]) as q (outcome_id, replied_at)
where k.outcome_id = q.outcome_id and k.replied_at = q.replied_at and k.prompt_version = %(prompt_version)s
