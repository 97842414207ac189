-- migrate:up
-- The ledger: every fact about an outcome, once, from whatever door. Append-only for the service role; what may change is only
-- whether an event has found its outcome.

create type outcome_event_type as enum (
  'delivered', 'bounced', 'opened', 'clicked', 'unsubscribed', 'spam_reported',
  'replied', 'auto_replied', 'reply_classified',
  'meeting_booked', 'meeting_cancelled', 'meeting_completed', 'meeting_no_show',
  'deal_opened', 'deal_updated', 'deal_closed', 'deal_lost',
  'snapshot', 'noted', 'merged'
);

create table webhook_events (
  id bigint generated always as identity primary key,
  event_key uuid not null unique,
  alias_key uuid,
  organization_id text,
  outcome_id uuid,
  named boolean not null default true,
  unbound boolean not null default false,
  event_type outcome_event_type not null,
  occurred_at timestamptz not null,
  received_at timestamptz not null default now(),
  source text not null check (length(source) between 1 and 100),
  source_event_id text,
  facts jsonb not null default '{}' check (jsonb_typeof(facts) = 'object'),
  raw bytea,
  refs text[],
  mentions text[],
  lead_id text,
  lead_email text,
  linked_by text check (linked_by in ('reference', 'lead_id', 'email')),
  matched boolean not null default false,
  unmatched_reason text,
  erased boolean not null default false,
  check (matched = (unmatched_reason is null))
);
comment on column webhook_events.event_key is 'The first 128 bits of the SHA-256 of what the event says: a redelivery has the same key.';
comment on column webhook_events.alias_key is 'A second identity (the sender''s own id, where the content decides too): equal to a known one, the event is a repeat.';
comment on column webhook_events.named is 'The sender named the outcome; otherwise it is looked for by refs, mentions, lead_id and lead_email (0011).';
comment on column webhook_events.unbound is 'It came from nobody''s organisation in particular; organization_id is its outcome''s.';
comment on column webhook_events.raw is 'The payload as it was received, byte for byte; one of several in a batch stands alone in its own list.';
comment on column webhook_events.refs is 'The sender''s names of what this is about, first the strongest: message:…, deal:…, meeting:…. Who is linked claims them for its outcome.';
comment on column webhook_events.mentions is 'Names of other things that lead to the outcome, such as the message a reply answers; they claim nothing.';
comment on column webhook_events.erased is 'Its lead was erased (0015): it keeps what statistics need, and new keys.';
create index webhook_events_by_outcome on webhook_events (outcome_id) where outcome_id is not null;
create unique index webhook_events_by_alias on webhook_events (alias_key) where alias_key is not null;
create index webhook_events_by_arrival on webhook_events using brin (received_at);
create index webhook_events_unmatched on webhook_events (organization_id, received_at) where not matched;
create index webhook_events_waiting on webhook_events (outcome_id) where named and not matched and outcome_id is not null;
create index webhook_events_sought_by_refs on webhook_events using gin (refs) where not named;
create index webhook_events_sought_by_mentions on webhook_events using gin (mentions) where not named;
create index webhook_events_sought_by_lead on webhook_events (organization_id, lead_id) where not named;
create index webhook_events_sought_by_email on webhook_events (organization_id, lower(lead_email)) where not named;

revoke update, delete on webhook_events from flywheel_service;
grant update (organization_id, outcome_id, linked_by, matched, unmatched_reason) on webhook_events to flywheel_service;

-- An event for an outcome that is not there yet and the sending of that outcome may run at the same moment, each blind to the
-- other. Both therefore take a lock on the outcome's bucket (1 of 64): senders share it, such events have it alone.
-- Locks are always taken in the order links (0011), buckets, ledger keys, outcome rows, each sorted, so that nobody waits in a circle.
create function outcome_bucket(id uuid) returns int language sql immutable parallel safe
  return uuid_hash_extended(id, 0) & 63;

-- migrate:down
drop function outcome_bucket(uuid);
drop table webhook_events;
drop type outcome_event_type;
