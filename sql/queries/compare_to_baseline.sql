-- A version beside what it is compared with; the baseline's columns are null where there is none. `reported` is what was measured elsewhere, by source.
select v.id, v.scope, v.model_version, v.total_messages_sent, v.total_replies, v.total_meetings_booked, v.total_deals_closed, v.total_revenue,
  v.reply_rate, v.meeting_rate, v.close_rate, v.reply_rate_vs_baseline, v.meeting_rate_vs_baseline, v.close_rate_vs_baseline,
  b.id as baseline_id, b.model_version as baseline_version, b.total_messages_sent as baseline_messages_sent, b.reply_rate as baseline_reply_rate,
  b.meeting_rate as baseline_meeting_rate, b.close_rate as baseline_close_rate,
  coalesce((select jsonb_agg(to_jsonb(r) - 'registry_id' order by r.source) from reported_performance r where r.registry_id = v.id), '[]') as reported
from model_registry_with_baseline v
left join model_performance b on b.id = v.baseline_id
where v.id = %(registry_id)s
