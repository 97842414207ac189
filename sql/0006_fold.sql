-- migrate:up
-- How the ledger becomes a row. outcome_fold() reads a set of events and nothing else, so neither their order nor their
-- repetition can matter, and a rebuild gives the same rows. Flags are "any", first times are "earliest", counters count distinct
-- events, meetings and deals stand as their own latest event says.

-- What the ledger says of an outcome: the columns of outcome_labels that follow from events.
create type outcome_facts as (
  outcome_id uuid,
  delivered boolean, delivered_at timestamptz,
  bounced boolean, bounced_at timestamptz, bounce_reason text,
  opened boolean, opened_at timestamptz, open_count int, machine_open_count int,
  clicked boolean, clicked_at timestamptz, click_count int,
  unsubscribed boolean, unsubscribed_at timestamptz,
  spam_reported boolean, spam_reported_at timestamptz,
  replied boolean, replied_at timestamptz, reply_text text,
  reply_sentiment_score double precision, sentiment_label text, interest_signal boolean, interest_level text, objection_type text,
  classification_method text, classification_version text,
  meeting_booked boolean, meeting_booked_at timestamptz,
  meeting_completed boolean, meeting_completed_at timestamptz,
  meeting_no_show boolean, meeting_no_show_at timestamptz,
  deal_opened boolean, deal_opened_at timestamptz,
  deal_closed boolean, deal_closed_at timestamptz,
  deal_lost boolean, deal_lost_at timestamptz,
  deal_value numeric(14, 2), deal_currency text,
  event_count int
);

create function outcome_fold(ids uuid[])
returns setof outcome_facts
language plpgsql stable rows 1000
-- Planning this takes ten times as long as folding one outcome, so it is planned once; and hash joins are as good for one outcome as
-- they are for thousands, where the nested loops that a plan for few would take are not.
set plan_cache_mode = force_generic_plan set enable_nestloop = off set enable_seqscan = off set enable_hashjoin = on set jit = off
as $$
#variable_conflict use_column
begin
  return query
  with ledger as materialized (
    select e.outcome_id, e.event_type, e.occurred_at, e.event_key, e.source, e.facts
    from webhook_events e
    where e.outcome_id = any (ids) and e.matched
  ),
  -- A snapshot is shorthand for the facts that it implies, no later than the moment it was taken (as_of).
  fact as materialized (
    select l.outcome_id, l.event_type, l.occurred_at, l.event_key, l.source, l.facts, null::int as counted, null::timestamptz as as_of
    from ledger l
    where l.event_type <> 'snapshot'
    union all
    select l.outcome_id, s.event_type, least(s.at, l.occurred_at), l.event_key, l.source, l.facts, s.counted, l.occurred_at
    from ledger l
    cross join lateral jsonb_to_record(l.facts) as f (
      delivered boolean, delivered_at timestamptz, bounced boolean, bounced_at timestamptz,
      opened boolean, opened_at timestamptz, open_count int, machine_open_count int,
      clicked boolean, clicked_at timestamptz, click_count int,
      unsubscribed boolean, unsubscribed_at timestamptz, spam_reported boolean, spam_reported_at timestamptz,
      replied boolean, replied_at timestamptz, reply_sentiment_score double precision, sentiment_label text, interest_signal boolean,
      meeting_booked boolean, meeting_booked_at timestamptz, meeting_completed boolean, meeting_completed_at timestamptz,
      meeting_no_show boolean, meeting_no_show_at timestamptz,
      deal_opened boolean, deal_opened_at timestamptz, deal_closed boolean, deal_closed_at timestamptz,
      deal_lost boolean, deal_lost_at timestamptz
    )
    cross join lateral (values
      ('delivered'::outcome_event_type, f.delivered, f.delivered_at, null::int),
      ('bounced', f.bounced, f.bounced_at, null),
      ('opened', f.opened or f.open_count > 0, f.opened_at, greatest(f.open_count, 1)),
      ('noted', f.machine_open_count > 0, f.opened_at, f.machine_open_count),
      ('clicked', f.clicked or f.click_count > 0, f.clicked_at, greatest(f.click_count, 1)),
      ('unsubscribed', f.unsubscribed, f.unsubscribed_at, null),
      ('spam_reported', f.spam_reported, f.spam_reported_at, null),
      ('replied', f.replied, f.replied_at, null),
      ('reply_classified', f.reply_sentiment_score is not null or f.sentiment_label is not null or f.interest_signal is not null, f.replied_at, null),
      ('meeting_booked', f.meeting_booked or f.meeting_completed or f.meeting_no_show, least(f.meeting_booked_at, f.meeting_completed_at, f.meeting_no_show_at), null),
      ('meeting_completed', f.meeting_completed, f.meeting_completed_at, null),
      ('meeting_no_show', f.meeting_no_show and f.meeting_completed is not true, f.meeting_no_show_at, null),
      ('deal_opened', f.deal_opened or f.deal_closed or f.deal_lost, least(f.deal_opened_at, f.deal_closed_at, f.deal_lost_at), null),
      ('deal_lost', f.deal_lost and f.deal_closed is not true, f.deal_lost_at, null),
      ('deal_closed', f.deal_closed, f.deal_closed_at, null)
    ) as s (event_type, holds, at, counted)
    where l.event_type = 'snapshot' and s.holds
  ),
  -- Opens and clicks after the latest snapshot add to its count; those before it are in it already.
  taken as (
    select l.outcome_id, max(l.occurred_at) as as_of from ledger l where l.event_type = 'snapshot' group by 1
  ),
  total as (
    select
      f.outcome_id,
      bool_or(f.event_type not in ('bounced', 'noted', 'merged', 'reply_classified') or f.counted > 0) as delivered,
      min(f.occurred_at) filter (where f.event_type not in ('bounced', 'noted', 'merged', 'reply_classified')) as delivered_at,
      bool_or(f.event_type = 'bounced') as bounced,
      min(f.occurred_at) filter (where f.event_type = 'bounced') as bounced_at,
      min(f.occurred_at) filter (where f.event_type = 'opened' and not human.machine) as opened_at,
      (count(*) filter (where f.event_type = 'opened' and not human.machine and f.counted is null and (t.as_of is null or f.occurred_at > t.as_of))
        + greatest(coalesce(max(f.counted) filter (where f.event_type = 'opened'), 0),
            count(*) filter (where f.event_type = 'opened' and not human.machine and f.counted is null and f.occurred_at <= t.as_of)))::int as open_count,
      (count(*) filter (where f.event_type = 'opened' and human.machine and f.counted is null and (t.as_of is null or f.occurred_at > t.as_of))
        + greatest(coalesce(max(f.counted) filter (where f.event_type = 'noted'), 0),
            count(*) filter (where f.event_type = 'opened' and human.machine and f.counted is null and f.occurred_at <= t.as_of)))::int as machine_open_count,
      min(f.occurred_at) filter (where f.event_type = 'clicked') as clicked_at,
      (count(*) filter (where f.event_type = 'clicked' and f.counted is null and (t.as_of is null or f.occurred_at > t.as_of))
        + greatest(coalesce(max(f.counted) filter (where f.event_type = 'clicked'), 0),
            count(*) filter (where f.event_type = 'clicked' and f.counted is null and f.occurred_at <= t.as_of)))::int as click_count,
      min(f.occurred_at) filter (where f.event_type = 'unsubscribed') as unsubscribed_at,
      min(f.occurred_at) filter (where f.event_type = 'spam_reported') as spam_reported_at,
      min(f.occurred_at) filter (where f.event_type = 'replied') as replied_at,
      min(f.occurred_at) filter (where f.event_type in ('meeting_booked', 'meeting_completed', 'meeting_no_show')) as meeting_booked_at,
      bool_or(f.event_type in ('deal_opened', 'deal_updated', 'deal_closed', 'deal_lost')) as deal_opened,
      min(f.occurred_at) filter (where f.event_type in ('deal_opened', 'deal_updated', 'deal_closed', 'deal_lost')) as deal_opened_at
    from fact f
    left join taken t on t.outcome_id = f.outcome_id
    cross join lateral (select f.event_type = 'opened' and f.counted is null and coalesce((f.facts ->> 'machine')::boolean, false) as machine) human
    group by f.outcome_id
  ),
  first_bounce as (
    select distinct on (f.outcome_id) f.outcome_id, coalesce(f.facts ->> 'reason', f.facts ->> 'bounce_reason') as reason
    from fact f where f.event_type = 'bounced'
    order by f.outcome_id, f.occurred_at, f.event_key
  ),
  latest_reply as (
    select distinct on (f.outcome_id) f.outcome_id, f.occurred_at, coalesce(f.facts ->> 'text', f.facts ->> 'reply_text') as reply_text
    from fact f where f.event_type = 'replied'
    order by f.outcome_id, f.occurred_at desc, f.event_key desc
  ),
  -- What is said of the latest reply counts; a human beats the newest version beats rules.
  judgement as (
    select distinct on (f.outcome_id) f.outcome_id, j.*
    from fact f
    cross join lateral (select
      coalesce((f.facts ->> 'replied_at')::timestamptz, f.occurred_at) as of_reply,
      coalesce(f.facts ->> 'method', f.facts ->> 'classification_method', 'provided') as method,
      coalesce(f.facts ->> 'version', f.facts ->> 'classification_version') as version,
      coalesce(f.facts ->> 'score', f.facts ->> 'reply_sentiment_score')::double precision as score,
      coalesce(f.facts ->> 'label', f.facts ->> 'sentiment_label') as label,
      (f.facts ->> 'interest_signal')::boolean as interest_signal,
      f.facts ->> 'interest_level' as interest_level,
      f.facts ->> 'objection_type' as objection_type
    ) j
    left join latest_reply r on r.outcome_id = f.outcome_id
    where f.event_type = 'reply_classified' and (r.outcome_id is null or j.of_reply >= r.occurred_at)
    order by f.outcome_id, j.of_reply desc,
      case j.method when 'human' then 0 when 'rules' then 2 else 1 end,
      coalesce((select array_agg(p.part[1]::numeric) from regexp_matches(j.version, '\d+', 'g') as p (part)), '{0}') desc,
      f.occurred_at desc, f.event_key desc
  ),
  -- That a meeting was held may have been inferred from silence: whatever is reported of it since its last booking counts before that.
  meeting_report as (
    select f.outcome_id, m.id, f.event_type as state, f.occurred_at, f.event_key, f.source = 'inferred' as inferred,
      max(f.occurred_at) filter (where f.event_type = 'meeting_booked') over (partition by f.outcome_id, m.id) as last_booked_at
    from fact f cross join lateral (select coalesce(f.facts ->> 'meeting_id', '') as id) m
    where f.event_type in ('meeting_booked', 'meeting_cancelled', 'meeting_completed', 'meeting_no_show')
  ),
  meeting as (
    select distinct on (m.outcome_id, m.id) m.outcome_id, m.state, m.occurred_at
    from meeting_report m
    where not m.inferred or not exists (
      select from meeting_report r
      where r.outcome_id = m.outcome_id and r.id = m.id and not r.inferred and r.state <> 'meeting_booked' and (r.last_booked_at is null or r.occurred_at >= r.last_booked_at))
    order by m.outcome_id, m.id, m.occurred_at desc,
      case m.state when 'meeting_no_show' then 4 when 'meeting_completed' then 3 when 'meeting_cancelled' then 2 else 1 end desc,
      m.event_key desc
  ),
  meetings as (
    select m.outcome_id,
      bool_or(m.state <> 'meeting_cancelled') as booked,
      bool_or(m.state = 'meeting_completed') as completed,
      min(m.occurred_at) filter (where m.state = 'meeting_completed') as completed_at,
      bool_or(m.state = 'meeting_no_show') and not bool_or(m.state = 'meeting_completed') as no_show,
      min(m.occurred_at) filter (where m.state = 'meeting_no_show') as no_show_at
    from meeting m group by 1
  ),
  deal as (
    select distinct on (f.outcome_id, d.id) f.outcome_id, d.id, f.event_type as state, f.occurred_at, f.event_key
    from fact f cross join lateral (select coalesce(f.facts ->> 'deal_id', '') as id) d
    where f.event_type in ('deal_opened', 'deal_closed', 'deal_lost')
    order by f.outcome_id, d.id, f.occurred_at desc,
      case f.event_type when 'deal_closed' then 3 when 'deal_lost' then 2 else 1 end desc,
      f.event_key desc
  ),
  -- A deal's latest amount and currency; a correction may name only one of them.
  deal_amount as (
    select f.outcome_id, d.id,
      (array_agg(d.amount order by f.occurred_at desc, d.rank desc, f.event_key desc) filter (where d.amount is not null))[1] as amount,
      (array_agg(d.currency order by f.occurred_at desc, d.rank desc, f.event_key desc) filter (where d.currency is not null))[1] as currency
    from fact f cross join lateral (select
      coalesce(f.facts ->> 'deal_id', '') as id,
      coalesce(f.facts ->> 'value', f.facts ->> 'deal_value')::numeric as amount,
      coalesce(f.facts ->> 'currency', f.facts ->> 'deal_currency') as currency,
      case f.event_type when 'deal_closed' then 3 when 'deal_lost' then 2 else 1 end as rank) d
    where f.event_type in ('deal_opened', 'deal_updated', 'deal_closed', 'deal_lost')
    group by f.outcome_id, d.id
  ),
  -- Values of several won deals add up, as far as they are in the currency of the deal won last.
  won as (
    select d.outcome_id, a.amount, a.currency,
      first_value(a.currency) over (partition by d.outcome_id order by d.occurred_at desc, d.event_key desc, d.id) as main_currency
    from deal d left join deal_amount a on a.outcome_id = d.outcome_id and a.id = d.id
    where d.state = 'deal_closed'
  ),
  revenue as (
    select w.outcome_id, sum(w.amount) filter (where w.currency is not distinct from w.main_currency) as value, max(w.main_currency) as currency
    from won w group by 1
  ),
  deals as (
    select d.outcome_id,
      bool_or(d.state = 'deal_closed') as closed,
      min(d.occurred_at) filter (where d.state = 'deal_closed') as closed_at,
      bool_or(d.state = 'deal_lost') and not bool_or(d.state = 'deal_closed') as lost,
      min(d.occurred_at) filter (where d.state = 'deal_lost') as lost_at
    from deal d group by 1
  ),
  counted as (
    select i.id as outcome_id, count(l.outcome_id)::int as events from (select distinct unnest(ids) as id) i left join ledger l on l.outcome_id = i.id group by 1
  )
  select
    c.outcome_id,
    coalesce(t.delivered, false), t.delivered_at,
    coalesce(t.bounced, false), t.bounced_at, b.reason,
    coalesce(t.open_count, 0) > 0, t.opened_at, coalesce(t.open_count, 0), coalesce(t.machine_open_count, 0),
    coalesce(t.click_count, 0) > 0, t.clicked_at, coalesce(t.click_count, 0),
    t.unsubscribed_at is not null, t.unsubscribed_at,
    t.spam_reported_at is not null, t.spam_reported_at,
    t.replied_at is not null, t.replied_at, r.reply_text,
    j.score, j.label, j.interest_signal, j.interest_level, j.objection_type, j.method, j.version,
    coalesce(m.booked, false), case when m.booked then t.meeting_booked_at end,
    coalesce(m.completed, false), m.completed_at,
    coalesce(m.no_show, false), case when m.no_show then m.no_show_at end,
    coalesce(t.deal_opened, false), t.deal_opened_at,
    coalesce(d.closed, false), d.closed_at,
    coalesce(d.lost, false), case when d.lost then d.lost_at end,
    case when v.value > 999999999999.99 then 999999999999.99 else v.value end::numeric(14, 2), v.currency,
    c.events
  from counted c
  left join total t on t.outcome_id = c.outcome_id
  left join first_bounce b on b.outcome_id = c.outcome_id
  left join latest_reply r on r.outcome_id = c.outcome_id
  left join judgement j on j.outcome_id = c.outcome_id
  left join meetings m on m.outcome_id = c.outcome_id
  left join deals d on d.outcome_id = c.outcome_id
  left join revenue v on v.outcome_id = c.outcome_id;
end
$$;

-- What outcome_fold() makes of an imported snapshot that is its outcome's only event (which it doesn't name). An import of a million rows
-- has little else; a test holds the two together.
create function outcome_of_snapshot(facts jsonb, as_of timestamptz)
returns setof outcome_facts
language sql stable as $$
  select
    null::uuid,
    h.delivered or h.opened or s.machine_open_count > 0 is true or h.clicked or h.unsubscribed or h.spam_reported or h.replied or h.met or h.dealt,
    case when h.delivered or h.opened or h.clicked or h.unsubscribed or h.spam_reported or h.replied or h.met or h.dealt then least(
      as_of,
      case when h.delivered then s.delivered_at end, case when h.opened then s.opened_at end, case when h.clicked then s.clicked_at end,
      case when h.unsubscribed then s.unsubscribed_at end, case when h.spam_reported then s.spam_reported_at end,
      case when h.replied then s.replied_at end, case when h.met then h.met_at end, case when h.dealt then h.dealt_at end) end,
    s.bounced is true, case when s.bounced then least(as_of, s.bounced_at) end, case when s.bounced then s.bounce_reason end,
    h.opened, case when h.opened then least(as_of, s.opened_at) end, case when h.opened then greatest(s.open_count, 1) else 0 end,
    greatest(s.machine_open_count, 0),
    h.clicked, case when h.clicked then least(as_of, s.clicked_at) end, case when h.clicked then greatest(s.click_count, 1) else 0 end,
    h.unsubscribed, case when h.unsubscribed then least(as_of, s.unsubscribed_at) end,
    h.spam_reported, case when h.spam_reported then least(as_of, s.spam_reported_at) end,
    h.replied, case when h.replied then least(as_of, s.replied_at) end, case when h.replied then s.reply_text end,
    case when h.judged then s.reply_sentiment_score end, case when h.judged then s.sentiment_label end,
    case when h.judged then s.interest_signal end, case when h.judged then s.interest_level end, case when h.judged then s.objection_type end,
    case when h.judged then coalesce(s.classification_method, 'provided') end, case when h.judged then s.classification_version end,
    h.met, case when h.met then least(as_of, h.met_at) end,
    s.meeting_completed is true, case when s.meeting_completed then least(as_of, s.meeting_completed_at) end,
    h.missed, case when h.missed then least(as_of, s.meeting_no_show_at) end,
    h.dealt, case when h.dealt then least(as_of, h.dealt_at) end,
    s.deal_closed is true, case when s.deal_closed then least(as_of, s.deal_closed_at) end,
    h.lost, case when h.lost then least(as_of, s.deal_lost_at) end,
    case when s.deal_closed then s.deal_value end::numeric(14, 2), case when s.deal_closed then s.deal_currency end,
    1
  from jsonb_to_record(facts) as s (
    delivered boolean, delivered_at timestamptz, bounced boolean, bounced_at timestamptz, bounce_reason text,
    opened boolean, opened_at timestamptz, open_count int, machine_open_count int,
    clicked boolean, clicked_at timestamptz, click_count int,
    unsubscribed boolean, unsubscribed_at timestamptz, spam_reported boolean, spam_reported_at timestamptz,
    replied boolean, replied_at timestamptz, reply_text text,
    reply_sentiment_score double precision, sentiment_label text, interest_signal boolean, interest_level text, objection_type text,
    classification_method text, classification_version text,
    meeting_booked boolean, meeting_booked_at timestamptz, meeting_completed boolean, meeting_completed_at timestamptz,
    meeting_no_show boolean, meeting_no_show_at timestamptz,
    deal_opened boolean, deal_opened_at timestamptz, deal_closed boolean, deal_closed_at timestamptz,
    deal_lost boolean, deal_lost_at timestamptz, deal_value numeric(14, 2), deal_currency text
  )
  cross join lateral (select
    s.delivered is true as delivered,
    (s.opened or s.open_count > 0) is true as opened,
    (s.clicked or s.click_count > 0) is true as clicked,
    s.unsubscribed is true as unsubscribed,
    s.spam_reported is true as spam_reported,
    s.replied is true as replied,
    s.reply_sentiment_score is not null or s.sentiment_label is not null or s.interest_signal is not null as judged,
    (s.meeting_booked or s.meeting_completed or s.meeting_no_show) is true as met,
    least(s.meeting_booked_at, s.meeting_completed_at, s.meeting_no_show_at) as met_at,
    (s.meeting_no_show and s.meeting_completed is not true) is true as missed,
    (s.deal_opened or s.deal_closed or s.deal_lost) is true as dealt,
    least(s.deal_opened_at, s.deal_closed_at, s.deal_lost_at) as dealt_at,
    (s.deal_lost and s.deal_closed is not true) is true as lost
  ) h
$$;

-- Facts that somebody wrote straight into a row, without events, become its first event before the ledger takes over.
create function capture_direct_facts(ids uuid[]) returns void language sql as $$
  insert into webhook_events (event_key, organization_id, outcome_id, event_type, occurred_at, source, facts, matched)
  select encode(substring(sha256(convert_to('row:' || o.id::text, 'UTF8')) for 16), 'hex')::uuid, o.organization_id, o.id, 'snapshot', o.created_at, 'sql',
    (select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(o))
     where value not in ('null', 'false', '0') and key <> all ('{id,organization_id,campaign_id,lead_id,channel,subject_line,message_body,framework,tone,agent_decisions,model_registry_id,experiment_arm,strategy_propensity,sent_at,lead_industry,lead_role,company_size,icp_score,time_to_close_days,quality_score,training_label,training_weight,included_in_training,event_count,created_at,updated_at,changed_xid}'::text[])),
    true
  from outcome_labels o
  where o.id = any (ids) and o.event_count = 0 and (o.delivered or o.bounced)
  order by 1
  on conflict (event_key) do nothing
$$;

-- Brings the rows of these outcomes in step with the ledger; returns how many changed.
create function fold_outcomes(ids uuid[]) returns int language plpgsql as $$
declare
  changed int;
begin
  perform from outcome_labels where id = any (ids) order by id for no key update;
  if exists (select from outcome_labels where id = any (ids) and event_count = 0 and (delivered or bounced)) then
    perform capture_direct_facts(ids);
  end if;
  update outcome_labels o set
    delivered = f.delivered, delivered_at = f.delivered_at, bounced = f.bounced, bounced_at = f.bounced_at, bounce_reason = f.bounce_reason,
    opened = f.opened, opened_at = f.opened_at, open_count = f.open_count, machine_open_count = f.machine_open_count,
    clicked = f.clicked, clicked_at = f.clicked_at, click_count = f.click_count,
    unsubscribed = f.unsubscribed, unsubscribed_at = f.unsubscribed_at, spam_reported = f.spam_reported, spam_reported_at = f.spam_reported_at,
    replied = f.replied, replied_at = f.replied_at, reply_text = f.reply_text,
    reply_sentiment_score = f.reply_sentiment_score, sentiment_label = f.sentiment_label, interest_signal = f.interest_signal,
    interest_level = f.interest_level, objection_type = f.objection_type,
    classification_method = f.classification_method, classification_version = f.classification_version,
    meeting_booked = f.meeting_booked, meeting_booked_at = f.meeting_booked_at,
    meeting_completed = f.meeting_completed, meeting_completed_at = f.meeting_completed_at,
    meeting_no_show = f.meeting_no_show, meeting_no_show_at = f.meeting_no_show_at,
    deal_opened = f.deal_opened, deal_opened_at = f.deal_opened_at, deal_closed = f.deal_closed, deal_closed_at = f.deal_closed_at,
    deal_lost = f.deal_lost, deal_lost_at = f.deal_lost_at, deal_value = f.deal_value, deal_currency = f.deal_currency,
    event_count = f.event_count
  from outcome_fold(ids) f
  where o.id = any (ids) and o.id = f.outcome_id and (
    o.event_count, o.delivered, o.delivered_at, o.bounced, o.bounced_at, o.bounce_reason, o.opened, o.opened_at, o.open_count, o.machine_open_count,
    o.clicked, o.clicked_at, o.click_count, o.unsubscribed, o.unsubscribed_at, o.spam_reported, o.spam_reported_at,
    o.replied, o.replied_at, o.reply_text, o.reply_sentiment_score, o.sentiment_label, o.interest_signal, o.interest_level, o.objection_type,
    o.classification_method, o.classification_version, o.meeting_booked, o.meeting_booked_at, o.meeting_completed, o.meeting_completed_at,
    o.meeting_no_show, o.meeting_no_show_at, o.deal_opened, o.deal_opened_at, o.deal_closed, o.deal_closed_at, o.deal_lost, o.deal_lost_at,
    o.deal_value, o.deal_currency
  ) is distinct from (
    f.event_count, f.delivered, f.delivered_at, f.bounced, f.bounced_at, f.bounce_reason, f.opened, f.opened_at, f.open_count, f.machine_open_count,
    f.clicked, f.clicked_at, f.click_count, f.unsubscribed, f.unsubscribed_at, f.spam_reported, f.spam_reported_at,
    f.replied, f.replied_at, f.reply_text, f.reply_sentiment_score, f.sentiment_label, f.interest_signal, f.interest_level, f.objection_type,
    f.classification_method, f.classification_version, f.meeting_booked, f.meeting_booked_at, f.meeting_completed, f.meeting_completed_at,
    f.meeting_no_show, f.meeting_no_show_at, f.deal_opened, f.deal_opened_at, f.deal_closed, f.deal_closed_at, f.deal_lost, f.deal_lost_at,
    f.deal_value, f.deal_currency
  );
  get diagnostics changed = row_count;
  return changed;
end
$$;

-- migrate:down
drop function fold_outcomes(uuid[]);
drop function capture_direct_facts(uuid[]);
drop function outcome_of_snapshot(jsonb, timestamptz);
drop function outcome_fold(uuid[]);
drop type outcome_facts;
