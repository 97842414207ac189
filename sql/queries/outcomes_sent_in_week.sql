-- How many outcomes were sent in a week, ready for training or not.
select count(*) from outcome_labels where outcome_week(sent_at) = %(week)s
