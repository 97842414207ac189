-- The models that whoever asks may see, newest first, a page of them.
select
  id, organization_id, scope, model_id, model_version, base_model, trainer, status, ab_test_group, traffic_percentage, is_baseline, deployed_at, created_at,
  training_examples_count, positive_examples, deals_in_training, total_messages_sent, total_replies, total_meetings_booked, total_deals_closed,
  total_revenue, reply_rate, meeting_rate, close_rate, reply_rate_vs_baseline, meeting_rate_vs_baseline, close_rate_vs_baseline
from model_registry_with_baseline
where (%(status)s::text is null or status = %(status)s) and (%(organization_id)s::text is null or organization_id = %(organization_id)s)
order by created_at desc, id
limit %(limit)s offset %(offset)s
