-- The open questions of a batch, with what they are about, a page after the one named.
select q.outcome_id, o.organization_id, q.replied_at, o.reply_text, o.message_body,
  jsonb_strip_nulls(jsonb_build_object('channel', o.channel, 'industry', o.lead_industry, 'role', o.lead_role)) as context, o.sent_at
from reply_questions q
join outcome_labels o on o.id = q.outcome_id
where q.batch_id = %(batch_id)s and q.answered_at is null and q.outcome_id > %(after)s
  and (%(ids)s::uuid[] is null or q.outcome_id = any (%(ids)s))
order by q.outcome_id
limit %(limit)s
