-- A page of the replies that are to be judged, in the order of their messages, after the one named.
select o.id, o.organization_id, coalesce(latest_reply_at(o.id), least(o.replied_at, o.created_at)) as replied_at, o.reply_text,
  o.message_body, jsonb_strip_nulls(jsonb_build_object('channel', o.channel, 'industry', o.lead_industry, 'role', o.lead_role)) as context, o.sent_at
from outcome_labels o
where o.replied and o.reply_text is not null and (o.classification_method is null or o.classification_method in ('llm', 'rules'))
  and o.sent_at >= %(start)s and o.sent_at < %(end)s and (o.sent_at, o.id) > (%(after_sent_at)s, %(after_id)s)
  and reply_is_due(o.classification_method, o.classification_version, %(prompt_version)s, %(rules_version)s)
order by o.sent_at, o.id
limit %(limit)s
