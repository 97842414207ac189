-- How many leads an organization has scored and was told of, and of how many the outcome is news since its newest training, or attempt at one.
select
  (select count(*)::int from lead_scores where organization_id = %(organization_id)s) as scored,
  (select count(*)::int from lead_scores where organization_id = %(organization_id)s and actual_outcome is not null) as told,
  count_lead_news(%(organization_id)s, lead_news_since(%(organization_id)s)) as told_since
