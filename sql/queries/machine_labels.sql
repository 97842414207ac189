select sentiment_label, count(*)
from outcome_labels
where replied and classification_method in ('llm', 'rules') and sentiment_label is not null
  and (%(organization_id)s::text is null or organization_id = %(organization_id)s)
group by 1
