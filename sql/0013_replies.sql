-- migrate:up
-- What a language model was asked about replies. A question is written down before it goes out, so that a reply is asked about, and paid
-- for, once for each version of the prompt, whatever breaks in between. The judgements themselves are events of the ledger.

create table reply_batches (
  id uuid primary key default gen_random_uuid(),
  model text not null,
  endpoint text not null,
  prompt_version int not null,
  requests int not null check (requests > 0),
  status text not null default 'planned' check (status in ('planned', 'submitted', 'recorded', 'failed')),
  input_file_id text,
  provider_batch_id text,
  provider_status text,
  error text,
  created_at timestamptz not null default now(),
  submitted_at timestamptz,
  finished_at timestamptz
);
create unique index reply_batches_by_provider_batch on reply_batches (endpoint, provider_batch_id) where provider_batch_id is not null;
create index reply_batches_open on reply_batches (created_at) where status in ('planned', 'submitted');
comment on table reply_batches is 'Questions that were sent together, for half the price and an answer within a day.';

create table reply_questions (
  outcome_id uuid not null,
  replied_at timestamptz not null,
  prompt_version int not null,
  batch_id uuid references reply_batches (id),
  asked_at timestamptz not null default now(),
  answered_at timestamptz,
  answer text,
  prompt_tokens int check (prompt_tokens >= 0),
  completion_tokens int check (completion_tokens >= 0),
  cost_usd numeric(14, 8) check (cost_usd >= 0),
  primary key (outcome_id, replied_at, prompt_version)
);
create index reply_questions_of_batch on reply_questions (batch_id, outcome_id) where batch_id is not null;
comment on column reply_questions.answer is '"analysis", or why there is none. Null: not known yet, or lost with the process that asked.';
comment on column reply_questions.cost_usd is 'By the price list in force; null where no price is known.';

alter table reply_batches enable row level security;
alter table reply_questions enable row level security;
create policy service on reply_batches to flywheel_service using (true) with check (true);
create policy service on reply_questions to flywheel_service using (true) with check (true);

-- A reply is to be judged when nobody did, when rules of an older version did, or, with a model to ask (prompt_version not null), when it
-- was asked by an older prompt or not at all. Versions are "PROMPT" of a model's judgement, "RULES" of the rules', and "RULES.PROMPT" where
-- rules stand in for a model that was asked and had no answer. People, and callers who bring their own judgement, aren't overruled.
create function reply_is_due(method text, version text, prompt_version int, rules_version int) returns boolean language sql immutable parallel safe
  return case
    when method is null then true
    when method = 'llm' then coalesce(substring(version from '^\d{1,9}')::int, 0) < prompt_version is true
    when method <> 'rules' then false
    when prompt_version is null then coalesce(substring(version from '^\d{1,9}')::int, 0) < rules_version
    else coalesce(substring(version from '^\d+\.(\d{1,9})')::int, 0) < prompt_version
  end;

create index outcome_labels_replies on outcome_labels (sent_at, id)
  where replied and reply_text is not null and (classification_method is null or classification_method in ('llm', 'rules'));

-- When the reply came that `reply_text` holds; as outcome_fold() sees it.
create function latest_reply_at(outcome uuid) returns timestamptz language sql stable as $$
  select max(case e.event_type when 'replied' then e.occurred_at else least((e.facts ->> 'replied_at')::timestamptz, e.occurred_at) end)
  from webhook_events e
  where e.outcome_id = outcome and e.matched and (e.event_type = 'replied' or e.event_type = 'snapshot' and (e.facts ->> 'replied')::boolean)
$$;

-- migrate:down
drop function latest_reply_at(uuid);
drop index outcome_labels_replies;
drop function reply_is_due(text, text, int, int);
drop table reply_questions;
drop table reply_batches;
