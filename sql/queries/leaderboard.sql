-- The models with enough messages, ranked among themselves; the best close rate first.
select v.id, v.scope, v.organization_id, v.model_id, v.model_version, v.base_model, v.trainer, v.status, v.deployed_at, v.traffic_percentage, v.ab_test_group,
  v.total_messages_sent, v.total_replies, v.total_meetings_booked, v.total_deals_closed, v.total_revenue, v.reply_rate, v.meeting_rate, v.close_rate,
  v.reply_rate_vs_baseline, v.meeting_rate_vs_baseline, v.close_rate_vs_baseline,
  rank() over (order by v.close_rate desc) as close_rate_rank,
  rank() over (order by v.reply_rate desc) as reply_rate_rank,
  rank() over (order by v.total_revenue desc) as revenue_rank
from model_registry_with_baseline v
where v.status <> 'failed' and v.total_messages_sent >= greatest(1, %(min_samples)s)
order by v.close_rate desc, v.reply_rate desc, v.total_revenue desc, v.id
