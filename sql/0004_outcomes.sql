-- migrate:up
-- One row for each sent message and what became of it. The message columns are written once, when it is sent; the columns from
-- `delivered` to `deal_currency` are the fold of the ledger (0006); quality, label and weight derive themselves.

create table outcome_labels (
  id uuid primary key default gen_random_uuid(),
  organization_id text not null check (organization_id <> 'global' and length(organization_id) between 1 and 200),
  campaign_id text not null check (length(campaign_id) between 1 and 200),
  lead_id text not null check (length(lead_id) between 1 and 200),

  -- the message
  channel text not null check (channel in ('email', 'sms', 'linkedin', 'whatsapp', 'phone', 'chat', 'social', 'direct_mail', 'in_app', 'other')),
  subject_line text,
  message_body text not null,
  framework text,
  tone text,
  agent_decisions jsonb not null default '{}' check (jsonb_typeof(agent_decisions) = 'object'),
  model_registry_id uuid references model_registry (id),
  experiment_arm text check (experiment_arm in ('control', 'variant_a', 'variant_b')),
  strategy_propensity double precision check (strategy_propensity > 0 and strategy_propensity <= 1),
  sent_at timestamptz not null default now(),

  -- the lead, as known when the message was sent
  lead_industry text,
  lead_role text,
  company_size text,
  icp_score double precision check (icp_score between 0 and 1),

  -- delivery
  delivered boolean not null default false,
  delivered_at timestamptz,
  bounced boolean not null default false,
  bounced_at timestamptz,
  bounce_reason text,

  -- engagement; machine opens (mail privacy proxies) are counted apart and are not engagement
  opened boolean not null default false,
  opened_at timestamptz,
  open_count int not null default 0 check (open_count >= 0),
  machine_open_count int not null default 0 check (machine_open_count >= 0),
  clicked boolean not null default false,
  clicked_at timestamptz,
  click_count int not null default 0 check (click_count >= 0),
  unsubscribed boolean not null default false,
  unsubscribed_at timestamptz,
  spam_reported boolean not null default false,
  spam_reported_at timestamptz,

  -- reply
  replied boolean not null default false,
  replied_at timestamptz,
  reply_text text,
  reply_sentiment_score double precision check (reply_sentiment_score between -1 and 1),
  sentiment_label text check (sentiment_label in ('positive', 'neutral', 'negative')),
  interest_signal boolean,
  interest_level text check (interest_level in ('high', 'medium', 'low', 'none')),
  objection_type text check (objection_type in ('price', 'timing', 'authority', 'competitor', 'not_interested', 'no_need', 'none')),
  classification_method text check (classification_method in ('human', 'llm', 'provided', 'simulated', 'rules')),
  classification_version text,

  -- meeting
  meeting_booked boolean not null default false,
  meeting_booked_at timestamptz,
  meeting_completed boolean not null default false,
  meeting_completed_at timestamptz,
  meeting_no_show boolean not null default false,
  meeting_no_show_at timestamptz,

  -- deal
  deal_opened boolean not null default false,
  deal_opened_at timestamptz,
  deal_closed boolean not null default false,
  deal_closed_at timestamptz,
  deal_lost boolean not null default false,
  deal_lost_at timestamptz,
  deal_value numeric(14, 2) check (deal_value >= 0),
  deal_currency text check (deal_currency ~ '^[A-Z]{3}$'),
  time_to_close_days double precision generated always as (
    round((greatest(0, extract(epoch from deal_closed_at - sent_at)) / 86400)::numeric, 2)::double precision
  ) stored,

  -- training; formula 1 (see formula_version()), computed in numeric so that sums such as 0.6 are exact
  quality_score double precision not null generated always as (
    (case
      when bounced and not (replied or meeting_booked or deal_closed) then 0.1
      else least(1.0,
        (case when delivered then 0.1 else 0 end)
        + (case when opened then 0.1 else 0 end)
        + (case when clicked then 0.15 else 0 end)
        + (case when replied then 0.2 else 0 end)
        + (case when replied and reply_sentiment_score > 0.5 then 0.2 else 0 end)
        + (case when meeting_booked then 0.3 else 0 end)
        + (case when meeting_completed then 0.4 else 0 end)
        + (case when deal_closed then 0.5 else 0 end)
        + (case when deal_closed and deal_value >= 50000 then 0.2 else 0 end)
        + coalesce(round(icp_score::numeric * 0.1, 4), 0))
    end)::double precision
  ) stored,
  training_label text generated always as (
    case
      when deal_closed or meeting_completed or meeting_booked or (replied and interest_signal) then 'positive_example'
      when bounced or unsubscribed or spam_reported or (replied and sentiment_label = 'negative') then 'negative_example'
      when delivered then 'neutral'
    end
  ) stored,
  training_weight double precision generated always as (
    case
      when deal_closed then 10
      when meeting_completed then 7
      when meeting_booked then 5
      when replied and interest_signal then 3
      when replied and objection_type <> 'none' then 2
      when replied then 1
      when bounced then 0.5
      when delivered then 1
    end
  ) stored,
  included_in_training boolean not null default false,

  -- bookkeeping
  event_count int not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  changed_xid xid8 not null default pg_current_xact_id()
);
comment on column outcome_labels.strategy_propensity is 'The probability with which its framework and tone were drawn; null where nobody drew them.';
comment on column outcome_labels.event_count is 'Ledger events folded into this row; 0 means its facts were written directly.';
comment on column outcome_labels.changed_xid is 'The transaction that last changed the row, membership in datasets apart. Compared with a snapshot, it tells a reader what is new without missing late commits.';

create index outcome_labels_by_organization on outcome_labels (organization_id, sent_at desc);
create index outcome_labels_by_campaign on outcome_labels (organization_id, campaign_id);
create index outcome_labels_by_lead on outcome_labels (organization_id, lead_id);
create index outcome_labels_changed on outcome_labels (changed_xid);
create index outcome_labels_closed_deals on outcome_labels (organization_id, deal_closed_at) where deal_closed;
create index outcome_labels_by_model on outcome_labels (model_registry_id) where model_registry_id is not null;

create function formula_version() returns int language sql immutable parallel safe
  return 1;
comment on function formula_version() is 'Version of the formulas of quality_score, training_label and training_weight; datasets record it.';

-- Which server this is; numbers of transactions mean nothing on another one.
create function server_id() returns text language sql stable
  return (select system_identifier::text from pg_control_system());

-- Whether a transaction's change was not there yet for who saw `seen`, and is now. (Restored from another server, rows carry transactions that
-- haven't happened here.)
create function changed_since(changed xid8, seen pg_snapshot) returns boolean language sql stable parallel safe
  return not pg_visible_in_snapshot(changed, seen) and pg_visible_in_snapshot(changed, pg_current_snapshot());

-- The Monday (UTC) of the week a message was sent in; weeks mean the same everywhere.
create function outcome_week(sent_at timestamptz) returns date language sql immutable parallel safe
  return date_trunc('week', sent_at at time zone 'UTC')::date;

-- Finds a week's outcomes, and whether one of them changed since a transaction.
create index outcome_labels_by_week on outcome_labels (outcome_week(sent_at), changed_xid);

-- The weeks that have outcomes: a look-up a week, by index, so that what it costs doesn't grow with the outcomes.
create view outcome_weeks (week) with (security_invoker = true) as
  with recursive present (week) as (
    (select outcome_week(sent_at) from outcome_labels order by 1 limit 1)
    union all
    select (select outcome_week(o.sent_at) from outcome_labels o where outcome_week(o.sent_at) > p.week order by 1 limit 1)
    from present p where p.week is not null
  )
  select week from present where week is not null;

-- What a fact implies holds for every writer: whoever opens, answers, meets or buys has received; a held meeting was booked.
create function outcome_labels_before_write() returns trigger language plpgsql as $$
begin
  new.meeting_booked := new.meeting_booked or new.meeting_completed;
  new.delivered := new.delivered or new.opened or new.machine_open_count > 0 or new.clicked or new.unsubscribed or new.spam_reported
    or new.replied or new.meeting_booked or new.meeting_no_show or new.deal_opened or new.deal_closed or new.deal_lost;
  if tg_op = 'UPDATE' then
    -- Publishing a dataset flips included_in_training alone, and must not look like a changed outcome. (Generated columns come later.)
    if new.included_in_training is distinct from old.included_in_training then
      old.included_in_training := new.included_in_training;
      old.quality_score := new.quality_score;
      old.training_label := new.training_label;
      old.training_weight := new.training_weight;
      old.time_to_close_days := new.time_to_close_days;
      if new is not distinct from old then
        return new;
      end if;
    end if;
    new.updated_at := now();
    new.changed_xid := pg_current_xact_id();
  end if;
  return new;
end
$$;
create trigger before_update before update on outcome_labels
  for each row execute function outcome_labels_before_write();
-- Most new rows imply nothing that they don't say; for them the function isn't called.
create trigger before_insert before insert on outcome_labels
  for each row when (
    new.meeting_completed > new.meeting_booked
    or not new.delivered and (new.opened or new.machine_open_count > 0 or new.clicked or new.unsubscribed or new.spam_reported or new.replied
      or new.meeting_booked or new.meeting_completed or new.meeting_no_show or new.deal_opened or new.deal_closed or new.deal_lost))
  execute function outcome_labels_before_write();

create view training_ready_outcomes with (security_invoker = true) as
  select *, outcome_week(sent_at) as week
  from outcome_labels
  where training_label is not null and message_body <> '';
comment on view training_ready_outcomes is 'Outcomes that have reached someone or bounced, with their label, weight and quality.';

-- migrate:down
drop view training_ready_outcomes;
drop view outcome_weeks;
drop table outcome_labels;
drop function outcome_labels_before_write();
drop function outcome_week(timestamptz);
drop function changed_since(xid8, pg_snapshot);
drop function server_id();
drop function formula_version();
