select count(*)
from outcome_labels o
where o.replied and o.reply_text is not null and (o.classification_method is null or o.classification_method in ('llm', 'rules'))
  and o.sent_at >= %(start)s and o.sent_at < %(end)s
  and reply_is_due(o.classification_method, o.classification_version, %(prompt_version)s, %(rules_version)s)
