-- Machine-judged latest replies that no person has judged, with the judgement, in an order that is random but always the same.
select o.id, o.organization_id, coalesce(latest_reply_at(o.id), least(o.replied_at, o.created_at)) as replied_at, o.reply_text, o.message_body,
  o.sentiment_label, o.interest_level, o.objection_type, o.classification_method, o.classification_version
from outcome_labels o
where o.replied and o.reply_text is not null and o.classification_method in ('llm', 'rules') and o.sentiment_label is not null
  and (%(organization_id)s::text is null or o.organization_id = %(organization_id)s)
order by hashtextextended(o.id::text, 0), o.id
