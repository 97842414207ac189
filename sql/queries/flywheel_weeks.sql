-- The newest weeks of the flywheel, of an organization or of all (null), oldest first; weeks in which nothing happened are among them. A week is young
-- until its messages are old enough to have had their meetings.
with known as materialized (select * from flywheel_metrics_of(%(organization_id)s::text)),
  shown as (
    select greatest(min(week), max(week) - 7 * (%(weeks)s::int - 1)) as first, max(week) as last from known
  )
select w.week::date as week, w.week::date + 7 + %(young_days)s::int > current_date as is_young,
  coalesce(k.outcomes, 0) as outcomes, coalesce(k.training_ready, 0) as training_ready, k.average_sentiment, k.sentiment_change,
  coalesce(k.delivered, 0) as delivered, coalesce(k.opened, 0) as opened, coalesce(k.replies, 0) as replies, coalesce(k.meetings, 0) as meetings,
  coalesce(k.deals, 0) as deals, coalesce(k.revenue, 0) as revenue, k.reply_rate, k.meeting_rate, k.close_rate, k.cost_usd, k.cost_per_meeting,
  coalesce(k.models_trained, 0) as models_trained
from shown cross join lateral generate_series(shown.first, shown.last, interval '1 week') as w (week)
left join known k on k.week = w.week::date
order by w.week
