-- migrate:up
-- What the weekly partitions hold: each training-ready outcome with its score and its finished example, rewritten week by week.

create table scored_training_rows (
  outcome_id uuid primary key,
  week date not null,
  organization_id text not null,
  lead_id text not null,
  channel text not null,
  lead_industry text,
  lead_role text,
  sent_at timestamptz not null,
  delivered boolean not null,
  silent boolean not null,
  quality_score double precision not null,
  training_label text not null,
  training_weight double precision not null,
  deal_closed boolean not null,
  split_point double precision not null check (split_point >= 0 and split_point < 1),
  text_key bigint,
  tokens int check (tokens > 0),
  example text,
  rejected text,
  check ((example is null) <> (rejected is null)),
  check ((example is null) = (tokens is null) and (example is null) = (text_key is null))
);
create index scored_training_rows_by_week on scored_training_rows (week);
create index scored_training_rows_by_organization on scored_training_rows (organization_id, week);
create index scored_training_rows_in_order on scored_training_rows (sent_at, outcome_id);
comment on column scored_training_rows.silent is 'Delivered, and nothing came back: an outcome only after its window has passed.';
comment on column scored_training_rows.split_point is 'The lead''s place in 0..1, from a hash: all its examples stand on one side (dataset_side).';
comment on column scored_training_rows.text_key is 'The message''s words, hashed: equal for equal words after redaction.';
comment on column scored_training_rows.tokens is 'Of the example, as OpenAI counts a conversation (o200k).';
comment on column scored_training_rows.example is 'The finished line of the JSONL file.';
comment on column scored_training_rows.rejected is 'Why no example can be made of this outcome.';

create table scored_weeks (
  week date primary key,
  server text not null default server_id(),
  snapshot pg_snapshot not null,
  built_by text not null,
  formula_version int not null,
  rows int not null,
  scored_at timestamptz not null default now()
);
comment on column scored_weeks.built_by is 'The format of the examples, and the versions of the libraries that shape them.';
comment on column scored_weeks.snapshot is 'What was visible when the week was scored; a change not visible in it makes the week stale.';

-- What is known of a lead is replaced in its messages' examples, so a new name or address makes their weeks stale.
create function leads_after_private_change() returns trigger language plpgsql
set enable_seqscan = off set jit = off  -- as in record_events (0007)
as $$
begin
  update outcome_labels o set changed_xid = pg_current_xact_id()
  from arrived a join gone g using (organization_id, lead_id)
  where o.organization_id = a.organization_id and o.lead_id = a.lead_id
    and (a.first_name, a.last_name, a.company, a.email, a.phone) is distinct from (g.first_name, g.last_name, g.company, g.email, g.phone);
  return null;
end
$$;
create trigger after_update_of_private after update on leads referencing old table as gone new table as arrived
  for each statement execute function leads_after_private_change();

-- A row goes with its outcome, and when its outcome moves to another week.
create function outcome_labels_after_leaving() returns trigger language plpgsql
set enable_seqscan = off set jit = off
as $$
begin
  delete from scored_training_rows r using gone g where r.outcome_id = g.id;
  return null;
end
$$;
create trigger after_delete_leaving after delete on outcome_labels referencing old table as gone
  for each statement execute function outcome_labels_after_leaving();
create function outcome_labels_after_move() returns trigger language plpgsql as $$
begin
  delete from scored_training_rows r where r.outcome_id = old.id;
  return null;
end
$$;
create trigger after_update_of_time after update of sent_at on outcome_labels for each row
  when (outcome_week(old.sent_at) <> outcome_week(new.sent_at)) execute function outcome_labels_after_move();

-- What near-duplicates are told by: texts that have one of sixteen bands in common are compared by their signatures. A text is stored once a week.
create table message_bands (
  week date not null,
  text_key bigint not null,
  bands bigint[] not null,
  signature bit(128) not null,
  primary key (week, text_key)
);
comment on column message_bands.bands is 'Hashes of groups of the text''s MinHash (datasets/near_duplicates.py); each with the number of its band mixed in.';
comment on column message_bands.signature is 'The lowest bit of each of the 128 values of the text''s MinHash.';

-- At least 85 % of the bits are equal, as of texts that have 70 % of their shingles in common.
create function are_near_duplicates(one bit(128), other bit(128)) returns boolean language sql immutable parallel safe
  return bit_count(one # other) <= 19;

-- Where a lead's examples stand: test from the top, validation from the bottom, so that neither share moves the other's leads.
create function dataset_side(split_point double precision, validation_share double precision, test_share double precision) returns text
language sql immutable parallel safe
  return case when split_point >= 1 - test_share then 'test' when split_point < validation_share then 'validation' else 'train' end;

-- The rows that a scope may learn from, each with its side and why it is left out before its near-duplicates and the limit are looked at
-- (null: kept so far). Inlined by the planner, so that it may be read by several processes.
create function dataset_candidates(
  scope text, validation_share double precision, test_share double precision, first_week date, channels text[], negatives boolean,
  matured_before timestamptz, min_quality double precision, max_tokens int
)
returns table (
  outcome_id uuid, week date, organization_id text, lead_id text, channel text, lead_industry text, lead_role text, sent_at timestamptz,
  delivered boolean, silent boolean, quality_score double precision, training_label text, training_weight double precision,
  deal_closed boolean, side text, text_key bigint, tokens int, dropped text
)
language sql stable parallel safe as $$
  select r.outcome_id, r.week, r.organization_id, r.lead_id, r.channel, r.lead_industry, r.lead_role, r.sent_at, r.delivered, r.silent,
    r.quality_score, r.training_label, r.training_weight, r.deal_closed, dataset_side(r.split_point, validation_share, test_share),
    r.text_key, r.tokens,
    case
      when scope = 'global' and not g.allows_global_training then 'organization does not share with the global model'
      when scope = 'global' and g.redaction_off then 'organization does not redact, so it is not for the global model'
      when r.rejected is not null then r.rejected
      when r.week < first_week then 'before the window'
      when not r.channel = any (channels) then 'another channel'
      when r.silent and r.sent_at > matured_before then 'silent, and its window has not passed'
      when r.tokens > max_tokens then 'longer than the limit of tokens'
      when r.training_label = 'negative_example' then case when not negatives then 'negative example' end
      when r.quality_score < min_quality then 'below the quality threshold'
    end
  from scored_training_rows r
  join organizations g on g.id = r.organization_id
  where scope = 'global' or r.organization_id = scope
$$;

-- Why a row can't stand in a preference pair; null: it won, or was received and refused, or met with silence.
create function why_no_pair(training_label text, delivered boolean, silent boolean) returns text language sql immutable parallel safe
  return case
    when training_label = 'neutral' and not silent then 'neither won nor lost'
    when not delivered then 'never received'
  end;

create table simulations (
  name text primary key,
  seed bigint not null,
  parameters jsonb not null,
  anchor timestamptz not null,
  created_at timestamptz not null default now()
);
comment on column simulations.anchor is 'The moment that counts as "now" in this simulated history, so that a run after a crash gives the same bytes.';

-- migrate:down
drop table simulations;
drop function why_no_pair(text, boolean, boolean);
drop function dataset_candidates(text, double precision, double precision, date, text[], boolean, timestamptz, double precision, int);
drop function dataset_side(double precision, double precision, double precision);
drop function are_near_duplicates(bit, bit);
drop table message_bands;
drop trigger after_update_of_time on outcome_labels;
drop trigger after_delete_leaving on outcome_labels;
drop function outcome_labels_after_move();
drop function outcome_labels_after_leaving();
drop trigger after_update_of_private on leads;
drop function leads_after_private_change();
drop table scored_weeks;
drop table scored_training_rows;
