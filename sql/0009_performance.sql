-- migrate:up
-- What a message is worth, in [0, 1]: of one, with 0 and 1; of several together, with their counts.
create function message_value(deals numeric, meetings numeric, replies numeric) returns numeric language sql immutable parallel safe
  return 0.5 * deals + 0.3 * meetings + 0.2 * replies;
-- The same by the name of a metric: reply_rate, meeting_rate, close_rate; any other is the performance.
create function metric_value(metric text, deals numeric, meetings numeric, replies numeric) returns numeric language sql immutable parallel safe
  return case metric when 'reply_rate' then replies when 'meeting_rate' then meetings when 'close_rate' then deals else message_value(deals, meetings, replies) end;

-- What registered versions achieved, derived from the outcomes of the messages they wrote, never counted by hand.

create view model_performance with (security_invoker = true) as
  select
    m.*,
    coalesce(p.messages, 0)::int as total_messages_sent,
    coalesce(p.replies, 0)::int as total_replies,
    coalesce(p.meetings, 0)::int as total_meetings_booked,
    coalesce(p.deals, 0)::int as total_deals_closed,
    coalesce(p.revenue, 0)::numeric(16, 2) as total_revenue,
    p.replies::double precision / nullif(p.messages, 0) as reply_rate,
    p.meetings::double precision / nullif(p.messages, 0) as meeting_rate,
    p.deals::double precision / nullif(p.messages, 0) as close_rate
  from model_registry m
  left join (
    select o.model_registry_id, count(*) as messages, count(*) filter (where o.replied) as replies, count(*) filter (where o.meeting_booked) as meetings,
      count(*) filter (where o.deal_closed) as deals, sum(o.deal_value) filter (where o.deal_closed) as revenue
    from outcome_labels o where o.model_registry_id is not null
    group by o.model_registry_id
  ) p on p.model_registry_id = m.id;

-- Outcomes that were measured elsewhere, as totals of a source; kept apart from what is derived here.
create table reported_performance (
  registry_id uuid not null references model_registry (id),
  source text not null default 'elsewhere',
  messages_sent int not null check (messages_sent >= 0),
  replies int not null check (replies between 0 and messages_sent),
  meetings_booked int not null check (meetings_booked between 0 and messages_sent),
  deals_closed int not null check (deals_closed between 0 and messages_sent),
  revenue numeric(16, 2) not null check (revenue >= 0),
  reported_at timestamptz not null default now(),
  primary key (registry_id, source)
);

-- What a version is compared with: its scope's baseline, else the version that holds its control arm, else the global baseline.
-- Improvements are relative, in per cent.
create view model_registry_with_baseline with (security_invoker = true) as
  select v.*, b.id as baseline_id,
    100 * (v.reply_rate / nullif(b.reply_rate, 0) - 1) as reply_rate_vs_baseline,
    100 * (v.meeting_rate / nullif(b.meeting_rate, 0) - 1) as meeting_rate_vs_baseline,
    100 * (v.close_rate / nullif(b.close_rate, 0) - 1) as close_rate_vs_baseline
  from model_performance v
  left join lateral (
    select c.id from model_registry c
    where c.id <> v.id and (
      c.is_baseline and c.scope in (v.scope, 'global') or c.ab_test_group = 'control' and c.status = 'deployed' and c.scope = v.scope)
    order by c.is_baseline and c.scope = v.scope desc, c.scope = v.scope desc
    limit 1
  ) chosen on true
  left join model_performance b on b.id = chosen.id;

create view active_models with (security_invoker = true) as
  select * from model_registry_with_baseline where status in ('deployed', 'ready');

create view model_leaderboard with (security_invoker = true) as
  select v.*,
    rank() over (order by v.close_rate desc nulls last) as close_rate_rank,
    rank() over (order by v.reply_rate desc nulls last) as reply_rate_rank,
    rank() over (order by v.total_revenue desc) as revenue_rank
  from model_registry_with_baseline v
  where v.status <> 'failed' and v.total_messages_sent > 0;

-- migrate:down
drop view model_leaderboard;
drop view active_models;
drop view model_registry_with_baseline;
drop table reported_performance;
drop view model_performance;
drop function metric_value(text, numeric, numeric, numeric);
drop function message_value(numeric, numeric, numeric);
