-- The models of a scope (null: of all) with what their messages achieved, newest first.
select id, scope, model_version, model_id, base_model, base_ends_on, trainer, status, ab_test_group, traffic_percentage, is_baseline, deprecated_at,
  deployed_at, created_at, total_messages_sent, total_replies, total_meetings_booked, total_deals_closed, total_revenue, reply_rate, meeting_rate,
  close_rate, reply_rate_vs_baseline, meeting_rate_vs_baseline, close_rate_vs_baseline
from model_registry_with_baseline
where (%(scope)s::text is null or scope = %(scope)s) and (%(status)s::text is null or status = %(status)s)
order by scope, created_at desc, id
