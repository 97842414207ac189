-- Replies to the messages of each week, counted by what they were judged to say; label and score of one reply should agree.
select outcome_week(sent_at) as week, sentiment_label, interest_level, objection_type, classification_method,
  classification_method = 'rules' and classification_version ~ '^\d+\.' as stood_in,
  reply_sentiment_score is not null and sentiment_label is not null
    and sentiment_label <> case when reply_sentiment_score >= 0.5 then 'positive' when reply_sentiment_score < -0.2 then 'negative' else 'neutral' end as disagree,
  count(*) as replies
from outcome_labels
where replied and sent_at >= %(start)s and sent_at < %(end)s
group by 1, 2, 3, 4, 5, 6, 7
order by 1
