-- migrate:up
-- What was decided, week by week, and what became of it: counts from which every answer about strategies is read. A dimension is a list of
-- decision keys, a strategy the list of their values: {framework,tone} and {PAS,professional}. The empty dimension counts every message, {agent} the
-- messages that an agent had a part in.

-- A decision as a word to count messages by; null for prose, and for numbers that measure instead of naming. A time becomes its hour, as written,
-- an address its domain.
create function decision_word(decision jsonb) returns text language sql immutable parallel safe as $$
  select case jsonb_typeof(decision)
    when 'boolean' then w
    when 'number' then case when w ~ '^\d{1,3}$' then w end
    when 'string' then case
      when length(w) not between 1 and 60 then null
      when substr(w, 5, 1) = '-' and w ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d' then substr(w, 12, 2) || 'h'
      when strpos(w, '@') > 0 then case when w ~ '^[^@\s]+@[^@\s]+$' then lower(substr(w, strpos(w, '@') + 1)) end
      when w !~ '\n|://|\d{5}' then w
    end
  end
  from (select decision #>> '{}' as w) v
$$;

-- The agents' decisions as words, nested by agent or flat (agent '' then). Of a list, each of the first ten elements is one: so many pairs come of two lists.
create function decision_words(decisions jsonb) returns table (agent text, key text, word text) language sql immutable parallel safe rows 10 as $$
  select left(d.agent, 60), case d.key
      when 'hooks' then 'hooks_used' when 'hook' then 'hooks_used' when 'call_to_action' then 'cta' when 'domain' then 'domain_selected' else d.key
    end, w.word
  from jsonb_each(decisions) t
  cross join lateral (
    select t.key as agent, n.key, n.value from jsonb_each(case when jsonb_typeof(t.value) = 'object' then t.value else '{}' end) n
    union all
    select '', t.key, t.value where jsonb_typeof(t.value) <> 'object'
  ) d
  cross join lateral (
    select decision_word(d.value) as word where jsonb_typeof(d.value) <> 'array'
    union all
    select decision_word(d.value -> i) from generate_series(0, 9) i where jsonb_typeof(d.value) = 'array'
    offset 0  -- each word is made once
  ) w
  where w.word is not null and length(d.key) <= 60
    and d.key <> all ('{framework,tone,agent,subject,subject_line,body,message,message_body,text,reasoning,reason,notes}'::text[])
$$;

-- The dimensions of several keys whose counts are kept; each key by itself is kept anyway, and others are counted when they are asked for.
create table strategy_dimensions (
  keys text[] primary key check (cardinality(keys) between 2 and 3)
);
insert into strategy_dimensions values ('{framework,tone}'), ('{hooks_used,cta}'), ('{domain_selected,send_time}');

create table strategy_weeks (
  organization_id text not null,
  keys text[] not null,
  campaign_id text not null,
  week date not null,
  channel text not null,
  strategy text[] not null,
  sent int not null,
  sent_at timestamptz not null,
  delivered int not null,
  bounced int not null,
  opened int not null,
  clicked int not null,
  unsubscribed int not null,
  spam_reported int not null,
  replied int not null,
  interested int not null,
  negative int not null,
  sentiments int not null,
  sentiment_sum double precision not null,
  meetings int not null,
  completed int not null,
  deals int not null,
  revenue numeric not null,
  training_ready int not null,
  primary key (organization_id, keys, campaign_id, week, channel, strategy)
);
create index strategy_weeks_by_week on strategy_weeks (organization_id, week);
comment on column strategy_weeks.sent_at is 'When the messages were sent, on average.';
comment on column strategy_weeks.sentiments is 'How many replies have a sentiment score; sentiment_sum is the scores'' sum.';

-- The same for dimensions of several keys, by the kind of lead instead of the campaign.
create table strategy_segments (
  organization_id text not null,
  keys text[] not null,
  week date not null,
  channel text not null,
  industry text not null,
  role text not null,
  company_size text not null,
  strategy text[] not null,
  sent int not null,
  sent_at timestamptz not null,
  replied int not null,
  meetings int not null,
  deals int not null,
  primary key (organization_id, keys, week, channel, industry, role, company_size, strategy)
);
create index strategy_segments_by_week on strategy_segments (organization_id, week);

-- Which agent decides what, so that an agent's strategies are found by its name.
create table agent_decision_keys (
  organization_id text not null,
  agent text not null,
  key text not null,
  primary key (organization_id, agent, key)
);

-- How far an organisation's counts go.
create table strategy_refreshes (
  organization_id text primary key,
  server text not null,
  snapshot pg_snapshot not null,
  counted_by text not null,
  reply_days double precision[] not null,
  refreshed_at timestamptz not null,
  counted_at timestamptz not null
);
comment on column strategy_refreshes.snapshot is 'What was visible when it was counted; a change not visible in it makes its week stale.';
comment on column strategy_refreshes.counted_by is 'The version of the counting, and the dimensions.';
comment on column strategy_refreshes.counted_at is 'When a week was last counted anew; what was learnt before has yet to be learnt.';
comment on column strategy_refreshes.reply_days is 'After how many days a hundredth, three hundredths … ninety-nine hundredths of the replies had come.';

-- Weeks that lost a message, which no row tells any more. Each transaction tells for itself: another's row may be taken away by a refresh that doesn't see
-- this one's loss yet.
create table strategy_weeks_short (
  organization_id text not null,
  week date not null,
  lost_xid xid8 not null default pg_current_xact_id(),
  primary key (organization_id, week, lost_xid)
);
create function outcome_labels_leave_week() returns trigger language plpgsql as $$
begin
  insert into strategy_weeks_short values (old.organization_id, outcome_week(old.sent_at)) on conflict do nothing;
  return null;
end
$$;
create trigger leave_week_by_delete after delete on outcome_labels for each row execute function outcome_labels_leave_week();
create trigger leave_week_by_move after update of sent_at, organization_id on outcome_labels for each row
  when (outcome_week(old.sent_at) <> outcome_week(new.sent_at) or old.organization_id <> new.organization_id)
  execute function outcome_labels_leave_week();

-- The share of replies that have come within an age. Until an organisation has enough of its own: two days on average, as exponential waiting has it.
create function reply_share(age interval, reply_days double precision[]) returns double precision language sql immutable parallel safe as $$
  select width_bucket(extract(epoch from age)::double precision / 86400, reply_days)::double precision / cardinality(reply_days)
$$;
create function reply_days_of(organization text) returns double precision[] language sql stable as $$
  select case when count(*) >= 100 then percentile_cont(array(select (2 * i - 1) / 100.0 from generate_series(1, 50) i order by 1)) within group (order by days)
    else array(select -2 * ln(1 - (2 * i - 1) / 100.0) from generate_series(1, 50) i order by i)::double precision[] end
  from (
    select greatest(0, extract(epoch from o.replied_at - o.sent_at) / 86400)::double precision as days
    from (
      select replied_at, sent_at from outcome_labels
      where organization_id = organization and sent_at < now() - interval '30 days'
      order by sent_at desc
      limit 50000
    ) o
    where o.replied_at is not null
  ) d
$$;

-- What was decided about an organisation's messages, of one campaign or all: each key by itself, the kept dimensions, the agents, and the empty
-- dimension; or the one dimension that is wanted. A key (or agents' names) with more than thirty values, nearly as many as messages, is prose and left out,
-- and so is one beside which a hundred others are used more: keys made up for each message.
create function strategies_decided(organization text, campaign text, first timestamptz, until timestamptz, wanted text[] default null)
returns table (id uuid, agents text[], keys text[], strategy text[]) language sql stable as $$
  with words as materialized (
    select o.id, w.agent, w.key, w.word
    from outcome_labels o cross join lateral (
      select * from decision_words(o.agent_decisions)
      union all
      select (select left(a.key, 60) from jsonb_each(o.agent_decisions) a where jsonb_typeof(a.value) = 'object' and a.value ? c.key limit 1),
        c.key, left(c.word, 60)
      from (values ('framework', o.framework), ('tone', o.tone)) c (key, word) where c.word <> ''
      union all
      select '', 'agent', left(a.key, 60) from jsonb_each(o.agent_decisions) a where jsonb_typeof(a.value) = 'object' and a.key <> ''
    ) w
    where (wanted is null or w.key = any (wanted)) and o.organization_id = organization and (campaign is null or o.campaign_id = campaign)
      and o.sent_at >= first and o.sent_at < until
  ),
  names as (
    select w.key from (select w.key, w.word, count(*) as messages from words w group by w.key, w.word) w
    group by w.key
    having count(*) <= 30 or count(*) <= 100 and sum(w.messages) >= 2 * count(*)
    order by sum(w.messages) desc, w.key
    limit 100
  ),
  kept as materialized (  -- a word of a key once, whoever decided it
    select w.id, array_agg(w.agent) as agents, w.key, w.word from words w join names using (key) group by w.id, w.key, w.word
  ),
  dimensions as (
    select d.keys from strategy_dimensions d where wanted is null
    union all select wanted where cardinality(wanted) > 1
  )
  select k.id, k.agents, array[k.key], array[k.word] from kept k where wanted is null or wanted = array[k.key]
  union all
  select a.id, null, d.keys, array[a.word, b.word] || case when cardinality(d.keys) = 3 then array[c.word] else '{}' end
  from dimensions d
  join kept a on a.key = d.keys[1]
  join kept b on b.id = a.id and b.key = d.keys[2]
  left join kept c on c.id = a.id and c.key = d.keys[3]
  where cardinality(d.keys) = 2 or c.id is not null
  union all
  select o.id, null, '{}', '{}' from outcome_labels o
  where (wanted is null or wanted = '{}') and o.organization_id = organization and (campaign is null or o.campaign_id = campaign)
    and o.sent_at >= first and o.sent_at < until
$$;

create function count_strategies(organization text, counted date) returns void language sql
set work_mem = '16MB' set jit = off  -- the planner expects far more words than there are: tables made ready for them take longer than the counting
as $$
  delete from strategy_weeks where organization_id = organization and week = counted;
  delete from strategy_segments where organization_id = organization and week = counted;
  with decided as materialized (
    select * from strategies_decided(organization, null, counted::timestamp at time zone 'UTC', (counted + 7)::timestamp at time zone 'UTC')
  ),
  facts as (
    select d.keys, d.strategy, o.campaign_id, o.channel, o.lead_industry, o.lead_role, o.company_size, o.sent_at, o.delivered, o.bounced, o.opened, o.clicked,
      o.unsubscribed, o.spam_reported, o.replied, o.interest_signal, o.sentiment_label, o.reply_sentiment_score, o.meeting_booked, o.meeting_completed,
      o.deal_closed, o.deal_value, o.training_label is not null and o.message_body <> '' as training_ready  -- narrow: a message stands here many times
    from decided d join outcome_labels o using (id)
    where o.organization_id = organization
  ),
  deciding as (
    insert into agent_decision_keys
    select distinct organization, a, d.keys[1] from decided d cross join unnest(d.agents) a where a <> ''
    on conflict do nothing
  ),
  by_segment as (
    insert into strategy_segments
    select organization, f.keys, counted, f.channel, coalesce(left(f.lead_industry, 60), ''), coalesce(left(f.lead_role, 60), ''),
      coalesce(left(f.company_size, 60), ''), f.strategy,
      count(*), to_timestamp(avg(extract(epoch from f.sent_at)::double precision)), count(*) filter (where f.replied), count(*) filter (where f.meeting_booked),
      count(*) filter (where f.deal_closed)
    from facts f where cardinality(f.keys) > 1
    group by f.keys, f.channel, 5, 6, 7, f.strategy
  )
  insert into strategy_weeks
  select organization, f.keys, f.campaign_id, counted, f.channel, f.strategy, count(*), to_timestamp(avg(extract(epoch from f.sent_at)::double precision)),
    count(*) filter (where f.delivered), count(*) filter (where f.bounced), count(*) filter (where f.opened), count(*) filter (where f.clicked),
    count(*) filter (where f.unsubscribed), count(*) filter (where f.spam_reported), count(*) filter (where f.replied),
    count(*) filter (where f.replied and f.interest_signal), count(*) filter (where f.replied and f.sentiment_label = 'negative'),
    count(f.reply_sentiment_score), coalesce(sum(f.reply_sentiment_score), 0),
    count(*) filter (where f.meeting_booked), count(*) filter (where f.meeting_completed), count(*) filter (where f.deal_closed),
    coalesce(sum(f.deal_value) filter (where f.deal_closed), 0), count(*) filter (where f.training_ready)
  from facts f
  group by f.keys, f.campaign_id, f.channel, f.strategy
$$;

-- Counts an organisation's weeks again that changed since the last time, and returns how many. What it costs goes by what changed.
create function refresh_strategies(organization text) returns int language plpgsql as $$
declare
  seen pg_snapshot;
  now_seen pg_snapshot := pg_current_snapshot();
  counted_so text;
  stale date[];
begin
  perform pg_advisory_xact_lock(7072, hashtext(organization));
  select '1 ' || string_agg(keys::text, ' ' order by keys) into counted_so from strategy_dimensions;
  select r.snapshot into seen from strategy_refreshes r
    where r.organization_id = organization and r.server = server_id() and r.counted_by = counted_so;
  if seen is null then
    delete from strategy_weeks where organization_id = organization;
    delete from strategy_segments where organization_id = organization;
    delete from agent_decision_keys where organization_id = organization;
    delete from strategy_weeks_short where organization_id = organization;
    stale := array(select distinct outcome_week(o.sent_at) from outcome_labels o where o.organization_id = organization order by 1);
  else
    with lost as (delete from strategy_weeks_short where organization_id = organization returning week)
    select array(
      select outcome_week(o.sent_at) from outcome_labels o
      where o.organization_id = organization and o.changed_xid >= pg_snapshot_xmin(seen) and changed_since(o.changed_xid, seen)
      union select l.week from lost l) into stale;
  end if;
  if seen is not null and cardinality(stale) = 0 then
    update strategy_refreshes set snapshot = now_seen, refreshed_at = now() where organization_id = organization;
    return 0;
  end if;
  perform count_strategies(organization, w) from unnest(stale) w;
  insert into strategy_refreshes values (organization, server_id(), now_seen, counted_so, reply_days_of(organization), now(), clock_timestamp())
    on conflict (organization_id) do update set server = excluded.server, snapshot = excluded.snapshot, counted_by = excluded.counted_by,
      reply_days = excluded.reply_days, refreshed_at = excluded.refreshed_at, counted_at = excluded.counted_at;
  return cardinality(stale);
end
$$;

-- What was learnt from an organisation's counts about a dimension, written by `strategies/learning`: a posterior by metric, from its own messages alone (others
-- learn from it while they may) and with what other organisations have seen. Organisation '' is one that has sent nothing yet.
create table strategy_lessons (
  organization_id text not null,
  keys text[] not null,
  own jsonb,
  others text not null,
  posteriors jsonb not null,
  mix jsonb not null,
  strategies jsonb not null,
  made_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, keys)
);
comment on column strategy_lessons.others is 'From whom it has learnt: strategy_others() then.';
comment on column strategy_lessons.mix is 'Pairs of a kind of lead (channel, industry, role, company size) and how many messages went to it.';
comment on column strategy_lessons.strategies is 'The strategies that were used, the most used first.';
-- Whose lessons an organisation may learn from, as a digest: where it differs from that of its lesson, others have begun to share, or share no more.
create function strategy_others(organization text, dimension text[]) returns text language sql stable as $$
  select coalesce(md5(string_agg(l.organization_id, E'\n' order by l.organization_id)), '')
  from strategy_lessons l join organizations g on g.id = l.organization_id
  where l.keys = dimension and l.organization_id <> organization and l.own is not null and g.allows_global_training
$$;
create table strategy_estimates (
  organization_id text not null,
  keys text[] not null,
  metric text not null check (metric in ('reply_rate', 'meeting_rate', 'close_rate', 'performance')),
  strategy text[] not null,
  estimate double precision not null,
  low double precision not null,
  high double precision not null,
  probability_best double precision not null check (probability_best between 0 and 1),
  enough_data boolean not null,
  reason text,
  held_difference double precision,
  held_low double precision,
  held_high double precision,
  warnings text[] not null default '{}',
  made_at timestamptz not null default now(),
  primary key (organization_id, keys, metric, strategy)
);
comment on column strategy_estimates.estimate is 'The shrunken rate over the organisation''s own mix of leads; low and high hold it with 95 % probability.';
comment on column strategy_estimates.held_difference is 'Rate minus the other strategies'' among leads of the same kind, as counted, with its 95 % interval.';

create view strategy_performance with (security_invoker = true) as
  select c.*, array_to_string(c.strategy, '_') as name,
    c.delivered::double precision / c.sent as delivery_rate, c.opened::double precision / c.sent as open_rate,
    c.replied::double precision / c.sent as reply_rate, c.meetings::double precision / c.sent as meeting_rate,
    c.deals::double precision / c.sent as close_rate, (c.revenue / nullif(c.deals, 0))::numeric(16, 2) as avg_deal_value
  from (
    select organization_id, campaign_id, keys, strategy, sum(sent)::int as sent, sum(delivered)::int as delivered, sum(opened)::int as opened,
      sum(clicked)::int as clicked, sum(replied)::int as replied, sum(interested)::int as interested, sum(meetings)::int as meetings, sum(deals)::int as deals,
      sum(revenue) as revenue
    from strategy_weeks where cardinality(keys) > 0
    group by organization_id, campaign_id, keys, strategy
  ) c;

create view winning_strategies with (security_invoker = true) as
  select e.organization_id, e.metric, e.keys, e.strategy, array_to_string(e.strategy, '_') as name, c.sent, c.replied, c.meetings, c.deals, c.revenue,
    metric_value(e.metric, c.deals, c.meetings, c.replied)::double precision / c.sent as raw,
    e.estimate, e.low, e.high, e.probability_best, e.enough_data, e.reason, e.held_difference, e.held_low, e.held_high, e.warnings, e.made_at,
    rank() over (partition by e.organization_id, e.keys, e.metric order by e.estimate desc) as rank
  from strategy_estimates e
  join (
    select organization_id, keys, strategy, sum(sent)::int as sent, sum(replied)::int as replied, sum(meetings)::int as meetings, sum(deals)::int as deals,
      sum(revenue) as revenue
    from strategy_weeks group by 1, 2, 3
  ) c using (organization_id, keys, strategy);

-- The agents by what their messages achieved, and the decision of each that did best: of those with 30 messages, by performance.
create view agent_leaderboard with (security_invoker = true) as
  select a.organization_id, a.agent, a.sent, a.reply_rate, a.meeting_rate, a.close_rate, a.revenue, a.performance, b.key as best_key, b.word as best_decision,
    b.sent as best_sent, b.performance as best_performance,
    rank() over (partition by a.organization_id order by a.performance desc) as rank
  from (
    select organization_id, strategy[1] as agent, sum(sent)::int as sent, sum(replied)::double precision / sum(sent) as reply_rate,
      sum(meetings)::double precision / sum(sent) as meeting_rate, sum(deals)::double precision / sum(sent) as close_rate, sum(revenue) as revenue,
      message_value(sum(deals), sum(meetings), sum(replied))::double precision / sum(sent) as performance
    from strategy_weeks where keys = '{agent}' group by organization_id, strategy
  ) a
  left join lateral (
    select k.key, w.strategy[1] as word, sum(w.sent)::int as sent,
      message_value(sum(w.deals), sum(w.meetings), sum(w.replied))::double precision / sum(w.sent) as performance
    from agent_decision_keys k join strategy_weeks w on w.organization_id = a.organization_id and w.keys = array[k.key]
    where k.organization_id = a.organization_id and k.agent = a.agent
    group by k.key, w.strategy
    having sum(w.sent) >= 30
    order by performance desc, k.key, w.strategy
    limit 1
  ) b on true;

-- The flywheel at a glance, by the week in which messages were sent; of one organisation, or of all. Models and their cost stand in the week in which they
-- were made. The newest weeks are young: what they brought is still coming.
create function flywheel_metrics_of(organization text default null) returns table (
  week date, outcomes bigint, training_ready bigint, average_sentiment double precision, sentiment_change double precision, delivered bigint, opened bigint,
  replies bigint, meetings bigint, deals bigint, revenue numeric, reply_rate double precision, meeting_rate double precision, close_rate double precision,
  cost_usd numeric, cost_per_meeting numeric, models_trained bigint) language sql stable as $$
  with messages as (
    select w.week, sum(w.sent) as outcomes, sum(w.training_ready) as training_ready, sum(w.sentiment_sum) / nullif(sum(w.sentiments), 0) as sentiment,
      sum(w.delivered) as delivered, sum(w.opened) as opened, sum(w.replied) as replies, sum(w.meetings) as meetings, sum(w.deals) as deals, sum(w.revenue) as revenue
    from strategy_weeks w
    where w.keys = '{}' and (organization is null or w.organization_id = organization)
    group by w.week
  ),
  asked as (
    select outcome_week(r.asked_at) as week, sum(r.cost_usd) as cost from model_requests r
    where organization is null or r.organization_id = organization group by 1
  ),
  trained as (
    select outcome_week(m.created_at) as week, count(*) as models, sum(m.training_cost_usd) as cost from model_registry m
    where not m.is_base and (organization is null or m.organization_id = organization) group by 1
  )
  select k.week, coalesce(m.outcomes, 0), coalesce(m.training_ready, 0), m.sentiment, m.sentiment - b.sentiment, coalesce(m.delivered, 0), coalesce(m.opened, 0),
    coalesce(m.replies, 0), coalesce(m.meetings, 0), coalesce(m.deals, 0), coalesce(m.revenue, 0),
    m.replies::double precision / m.outcomes, m.meetings::double precision / m.outcomes, m.deals::double precision / m.outcomes,
    c.cost, c.cost / nullif(m.meetings, 0), coalesce(t.models, 0)
  from (select m.week from messages m union select a.week from asked a union select t.week from trained t) k
  left join messages m on m.week = k.week
  left join asked a on a.week = k.week
  left join trained t on t.week = k.week
  cross join lateral (select case when a.cost is not null or t.cost is not null then coalesce(a.cost, 0) + coalesce(t.cost, 0) end as cost) c
  left join messages b on b.week = k.week - 7
  order by k.week
$$;
create view flywheel_metrics with (security_invoker = true) as
  select o.id as organization_id, m.* from organizations o cross join lateral flywheel_metrics_of(o.id) m;

do $$
declare
  t text;
begin
  foreach t in array array['strategy_weeks', 'strategy_segments', 'agent_decision_keys', 'strategy_refreshes', 'strategy_weeks_short', 'strategy_lessons', 'strategy_estimates'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy service on %I to flywheel_service using (true) with check (true)', t);
    execute format('create policy member on %I for select to flywheel_member using (organization_id = current_setting(''flywheel.organization_id'', true))', t);
    execute format('grant select on %I to flywheel_member', t);
  end loop;
end
$$;
grant select on strategy_dimensions, strategy_performance, winning_strategies, agent_leaderboard, flywheel_metrics to flywheel_member;

-- migrate:down
drop view flywheel_metrics;
drop function flywheel_metrics_of(text);
drop view agent_leaderboard;
drop view winning_strategies;
drop view strategy_performance;
drop table strategy_estimates;
drop function strategy_others(text, text[]);
drop table strategy_lessons;
drop function refresh_strategies(text);
drop function count_strategies(text, date);
drop function strategies_decided(text, text, timestamptz, timestamptz, text[]);
drop function reply_days_of(text);
drop function reply_share(interval, double precision[]);
drop trigger leave_week_by_move on outcome_labels;
drop trigger leave_week_by_delete on outcome_labels;
drop function outcome_labels_leave_week();
drop table strategy_weeks_short;
drop table strategy_refreshes;
drop table agent_decision_keys;
drop table strategy_segments;
drop table strategy_weeks;
drop table strategy_dimensions;
drop function decision_words(jsonb);
drop function decision_word(jsonb);
