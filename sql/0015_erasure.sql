-- migrate:up
-- Leads who asked to be forgotten. Their personal data goes; what statistics need stays under a pseudonym. Of their names only keyed hashes
-- are kept, so that nothing about them is ever stored again. Erasing has two steps: begin_erasure() closes the door and takes a moment,
-- erase_lead() then has all the time it needs, because nobody can write about the lead any more.

create table erasure_key (
  one boolean primary key default true check (one),
  secret bytea not null
);
comment on table erasure_key is 'The secret of this database that names are hashed with. Only the functions below can read it.';
insert into erasure_key (secret) values (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

create table erased_leads (
  organization_id text not null,
  lead uuid not null,
  person uuid not null,
  pseudonym text not null unique,
  begun_at timestamptz not null default now(),
  erased_at timestamptz,
  primary key (organization_id, lead)
);
comment on column erased_leads.lead is 'Keyed hash of the lead''s id.';
comment on column erased_leads.person is 'Leads that were merged share it.';
comment on column erased_leads.pseudonym is 'What stands for the lead''s id in statistics.';
comment on column erased_leads.erased_at is 'Null: the erasure was begun, and the same command finishes it.';

create table erased_names (
  name uuid not null,
  organization_id text not null,
  primary key (name, organization_id)
);
comment on table erased_names is 'Keyed hashes of all that a later event could name an erased lead by: lead:…, email:…, outcome:…, message:…, deal:…, meeting:….';

create table erased_events (event uuid primary key);
comment on table erased_events is 'Keyed hashes of the keys of erased events, so that a redelivery stays known.';

alter table erasure_key enable row level security;
alter table erased_leads enable row level security;
alter table erased_names enable row level security;
alter table erased_events enable row level security;
revoke all on erasure_key, erased_leads, erased_names, erased_events from flywheel_service;
grant select on erased_leads to flywheel_service;
create policy service on erased_leads for select to flywheel_service using (true);

-- A hash that nobody can compute without the secret; nested, so that nothing can be appended to the name. "Stable", as convert_to() is: else
-- it isn't inlined, and costs ten times as much.
create function keyed_hash(secret bytea, name text) returns uuid language sql stable parallel safe
  return encode(substring(sha256(secret || sha256(secret || convert_to(name, 'UTF8'))) for 16), 'hex')::uuid;

-- Everybody who writes about leads shares this lock, and begin_erasure() has it alone: whoever came before is seen by the erasure, and whoever
-- comes after sees it. It is taken before all other locks.
create function share_erasure() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(7069, 0);
  return null;
end
$$;
create trigger before_insert_share_erasure before insert on outcome_labels for each statement execute function share_erasure();
create trigger before_write_share_erasure before insert or update on leads for each statement execute function share_erasure();

-- Raises an error if one of these leads, outcomes or addresses was erased. All arrays are as long as the first, or null.
create function refuse_erased(organization_ids text[], lead_ids text[], outcome_ids uuid[], emails text[]) returns void
language plpgsql stable security definer set search_path = public, pg_temp set enable_seqscan = off set enable_hashjoin = off as $$
begin
  if exists (select from erased_leads) and exists (
    select
    from erasure_key k,
      unnest(organization_ids, lead_ids, outcome_ids, emails) as g (organization_id, lead_id, outcome_id, email),
      erased_names n
    where n.name in (keyed_hash(k.secret, 'lead:' || g.lead_id), keyed_hash(k.secret, 'outcome:' || g.outcome_id),
      keyed_hash(k.secret, 'email:' || lower(g.email)))
      and n.organization_id = g.organization_id
  ) then
    raise exception using errcode = 'check_violation', constraint = 'erased_leads',
      message = 'the lead was erased (flywheel erase), so nothing about this person may be stored; leave them out, and send them nothing';
  end if;
end
$$;

create function outcome_labels_refuse_erased() returns trigger language plpgsql as $$
begin
  if exists (select from erased_leads) then
    perform refuse_erased(array_agg(organization_id), array_agg(lead_id), array_agg(id), null) from arrived;
  end if;
  return null;
end
$$;
create trigger after_insert_erased after insert on outcome_labels referencing new table as arrived
  for each statement execute function outcome_labels_refuse_erased();

create function leads_refuse_erased() returns trigger language plpgsql as $$
begin
  if exists (select from erased_leads) then
    perform refuse_erased(array_agg(organization_id), array_agg(lead_id), null, array_agg(email)) from arrived;
  end if;
  return null;
end
$$;
create trigger after_insert_erased after insert on leads referencing new table as arrived
  for each statement execute function leads_refuse_erased();
create trigger after_update_erased after update on leads referencing new table as arrived
  for each statement execute function leads_refuse_erased();

-- What is left of a batch of record_events() without events of erased leads: redeliveries are counted as repeated, new ones as dropped.
-- An event that names another outcome or another lead that is known is not the erased one's, though it may be about the same deal.
create function without_erased(batch jsonb, out kept jsonb, out repeated int, out dropped int)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  -- Nearly always nothing in the batch is known here, and then it is as it was.
  if not exists (
    select
    from erasure_key k
    cross join jsonb_to_recordset(batch) as i (
      event_type text, outcome_id uuid, lead_id text, lead_email text, refs text[], mentions text[], facts jsonb)
    cross join unnest(array['outcome:' || i.outcome_id, 'lead:' || i.lead_id, 'email:' || lower(i.lead_email)] || i.refs || i.mentions
      || case when i.event_type = 'merged' then names_of_merger(i.facts) end) as s (name)
    join erased_names n on n.name = keyed_hash(k.secret, s.name)
    where s.name is not null
  ) and not exists (
    select
    from erasure_key k
    cross join jsonb_to_recordset(batch) as i (event_key uuid, alias_key uuid)
    cross join unnest(array['event:' || i.event_key, 'alias:' || i.alias_key]) as s (name)
    join erased_events d on d.event = keyed_hash(k.secret, s.name)
    where s.name is not null
  ) then
    kept := batch;
    repeated := 0;
    dropped := 0;
    return;
  end if;

  with incoming as materialized (
    select e.event, e.place, i.*, coalesce(i.organization_id, o.organization_id) as organization, k.secret
    from erasure_key k
    cross join jsonb_array_elements(batch) with ordinality as e (event, place)
    cross join lateral jsonb_to_record(e.event) as i (
      event_key uuid, alias_key uuid, organization_id text, outcome_id uuid, event_type text, facts jsonb, refs text[], mentions text[],
      lead_id text, lead_email text)
    left join outcome_labels o on o.id = i.outcome_id
  ),
  judged as materialized (
    select i.event, i.place, w.known, not w.known and (
      exists (
        select from unnest(array['outcome:' || i.outcome_id, 'lead:' || i.lead_id, 'email:' || lower(i.lead_email)]
            || case when i.event_type = 'merged' then names_of_merger(i.facts) end) as s (name)
          join erased_names n on n.name = keyed_hash(i.secret, s.name)
        where i.outcome_id is not null and s.name = 'outcome:' || i.outcome_id
          or n.organization_id = i.organization
          or i.organization is null and not known_elsewhere(null, i.lead_id, i.lead_email))
      or i.outcome_id is null and exists (
        select from unnest(i.refs || i.mentions) as s (name)
          join erased_names n on n.name = keyed_hash(i.secret, s.name)
        where (i.organization is null or n.organization_id = i.organization)
          and not exists (select from outcome_references r where r.reference = s.name and r.organization_id = n.organization_id)
          and not known_elsewhere(n.organization_id, i.lead_id, i.lead_email))) as erased
    from incoming i
    cross join lateral (select exists (
      select from erased_events d
      where d.event in (keyed_hash(i.secret, 'event:' || i.event_key), keyed_hash(i.secret, 'alias:' || i.alias_key))) as known) w
  )
  select coalesce(jsonb_agg(j.event order by j.place) filter (where not j.known and not j.erased), '[]'),
    count(*) filter (where j.known), count(*) filter (where j.erased)
  into kept, repeated, dropped
  from judged j;
end
$$;

create function names_of_merger(facts jsonb) returns text[] language sql immutable as $$
  select array_agg(name)
  from (
    select jsonb_array_elements_text(case when jsonb_typeof(facts -> 'merged') = 'array' then facts -> 'merged' end) as name
    union all select facts ->> 'into') n
  where name like 'lead:%'
$$;

-- Whether a lead of this organisation (null: of any) has this id or this address.
create function known_elsewhere(organization text, lead text, email text) returns boolean language sql stable as $$
  select exists (
    select from organizations g join leads l on l.organization_id = g.id and l.lead_id = lead
    where lead is not null and (organization is null or g.id = organization))
  or exists (
    select from organizations g join leads l on l.organization_id = g.id and lower(l.email) = lower(known_elsewhere.email)
    where known_elsewhere.email is not null and (organization is null or g.id = organization))
$$;

-- All there is of a lead, as far as it can be looked up. Merged leads are one person. `names` are lead ids, those of other systems included
-- that an event gives with the lead's address and that are no lead of ours. An address that another lead has too isn't this lead's own, nor
-- is a deal or a message that other outcomes share.
create type lead_traces as (lead_ids text[], names text[], emails text[], outcome_ids uuid[], event_ids bigint[], refs text[], shared_email boolean);

create function traces_of_lead(organization text, lead text) returns lead_traces
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
  t lead_traces;
  grown int := -1;
begin
  select array_agg(distinct substr(n, 6)) into t.lead_ids from unnest(same_references(organization, 'lead:' || lead)) n where n like 'lead:%';
  select array_agg(id) into t.outcome_ids from outcome_labels o where o.organization_id = organization and o.lead_id = any (t.lead_ids);
  t.names := t.lead_ids;
  t.event_ids := '{}';

  select array_agg(email) filter (where not shared), bool_or(shared) into t.emails, t.shared_email
  from (
    select a.email, exists (
      select from leads l where l.organization_id = organization and lower(l.email) = a.email and l.lead_id <> all (t.lead_ids)) as shared
    from (
      select lower(l.email) as email from leads l where l.organization_id = organization and l.lead_id = any (t.lead_ids)
      union
      select lower(i) from unnest(t.lead_ids) i where i like '%@%'
      union
      select lower(e.lead_email) from webhook_events e
      where not e.erased and e.organization_id = organization and e.lead_id = any (t.lead_ids) and not e.named
      union
      select lower(e.lead_email) from webhook_events e
      where not e.erased and e.organization_id = organization and e.lead_id = any (t.lead_ids) and not e.matched
      union
      select lower(e.lead_email) from webhook_events e
      where not e.erased and e.outcome_id = any (t.outcome_ids) and e.lead_id = any (t.lead_ids)
    ) a
    where a.email is not null
  ) m;

  t.names := t.names || array(
    select e.lead_id
    from (
      select a.lead_id from webhook_events a where not a.erased and a.outcome_id = any (t.outcome_ids) and lower(a.lead_email) = any (t.emails)
      union
      select a.lead_id from webhook_events a where not a.erased and a.organization_id = organization and lower(a.lead_email) = any (t.emails) and not a.named
      union
      select a.lead_id from webhook_events a where not a.erased and a.organization_id = organization and lower(a.lead_email) = any (t.emails) and not a.matched
    ) e
    where e.lead_id <> all (t.lead_ids) and not exists (select from leads l where l.organization_id = organization and l.lead_id = e.lead_id));

  -- Events lead to deals and messages, and these to further events that name nobody.
  while cardinality(t.event_ids) > grown loop
    grown := cardinality(t.event_ids);
    t.event_ids := array(
      select e.id from webhook_events e where not e.erased and e.outcome_id = any (t.outcome_ids)
      union
      select e.id from webhook_events e
      where not e.erased and e.organization_id = organization and not e.named and (e.lead_id = any (t.names) or lower(e.lead_email) = any (t.emails))
        and (not e.matched or e.outcome_id = any (t.outcome_ids))
      union
      select e.id from webhook_events e
      where not e.erased and e.organization_id = organization and not e.matched
        and (e.lead_id = any (t.names) or lower(e.lead_email) = any (t.emails)
          or e.event_type = 'merged' and names_of_merger(e.facts) && (select array_agg('lead:' || n) from unnest(t.names) n))
      union
      select e.id from webhook_events e
      where not e.erased and e.organization_id is null and not e.matched and (e.lead_id = any (t.names) or lower(e.lead_email) = any (t.emails))
        and not exists (
          select from organizations g join leads l on l.organization_id = g.id
          where g.id <> organization and (l.lead_id = e.lead_id or lower(l.email) = lower(e.lead_email)))
      union
      select e.id from webhook_events e
      where not e.erased and not e.named and not e.matched and (e.refs && t.refs or e.mentions && t.refs)
        and (e.organization_id = organization or e.organization_id is null)
        and not known_elsewhere(organization, e.lead_id, e.lead_email)
    );
    t.refs := array(
      select distinct s.name
      from (
        select r.reference from outcome_references r where r.organization_id = organization and r.outcome_id = any (t.outcome_ids)
        union
        select unnest(e.refs) from webhook_events e where e.id = any (t.event_ids)
      ) c
      cross join lateral unnest(same_references(organization, c.reference)) as s (name)
      where not exists (
          select from outcome_references r
          where r.reference = s.name and r.organization_id = organization and r.outcome_id <> all (coalesce(t.outcome_ids, '{}')))
        and not exists (
          select from webhook_events e
          where not e.named and e.refs @> array[s.name] and e.organization_id = organization and e.matched
            and e.outcome_id <> all (coalesce(t.outcome_ids, '{}')))
    );
  end loop;
  return t;
end
$$;

-- Closes the door: from the commit on no event, outcome or personal data of the lead is stored. Returns whether anything is or was known of
-- them. `alone` false is for looking, in a transaction that is rolled back. Set lock_timeout: when somebody's transaction that writes about
-- leads stays open, everybody behind this one has to wait, too.
create function begin_erasure(organization text, lead text, alone boolean default true) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  t lead_traces;
  key bytea := (select secret from erasure_key);
  someone uuid;
begin
  if alone then
    perform pg_advisory_xact_lock(7069, 0);
  end if;
  t := traces_of_lead(organization, lead);
  if t.outcome_ids is null and t.event_ids = '{}'
    and not exists (select from leads l where l.organization_id = organization and l.lead_id = any (t.lead_ids)) then
    return exists (select from erased_leads e where e.organization_id = organization and e.lead = keyed_hash(key, 'lead:' || begin_erasure.lead));
  end if;
  select coalesce(min(e.person::text)::uuid, gen_random_uuid()) into someone
  from erased_leads e where e.organization_id = organization and e.lead in (select keyed_hash(key, 'lead:' || i) from unnest(t.lead_ids) i);
  insert into erased_leads (organization_id, lead, person, pseudonym)
  select organization, keyed_hash(key, 'lead:' || i), someone, 'erased-' || gen_random_uuid() from unnest(t.lead_ids) i
  on conflict do nothing;
  insert into erased_names (name, organization_id)
  select distinct keyed_hash(key, n), organization
  from (
    select 'lead:' || unnest(t.names)
    union all select 'email:' || unnest(t.emails)
    union all select 'outcome:' || unnest(t.outcome_ids)
    union all select 'outcome:' || e.outcome_id from webhook_events e where e.id = any (t.event_ids) and e.outcome_id is not null and not e.matched
      and not exists (select from outcome_labels o where o.id = e.outcome_id)
    union all select unnest(t.refs)
  ) as named (n)
  on conflict do nothing;
  return true;
end
$$;

-- Facts that the fold and statistics need and that say nothing of who it is about: numbers, flags, times, and words of a few fixed lists.
create function is_impersonal(name text, value jsonb) returns boolean language sql immutable as $$
  select name = any ('{machine,method,version,score,label,interest_signal,interest_level,objection_type,replied_at,value,currency,
      classification_method,classification_version,reply_sentiment_score,sentiment_label,delivered,delivered_at,bounced,bounced_at,opened,opened_at,
      open_count,machine_open_count,clicked,clicked_at,click_count,unsubscribed,unsubscribed_at,spam_reported,spam_reported_at,replied,
      meeting_booked,meeting_booked_at,meeting_completed,meeting_completed_at,meeting_no_show,meeting_no_show_at,
      deal_opened,deal_opened_at,deal_closed,deal_closed_at,deal_lost,deal_lost_at,deal_value,deal_currency}'::text[])
    and case jsonb_typeof(value)
      when 'boolean' then true
      when 'number' then true
      when 'string' then value #>> '{}' ~ case when name like '%\_at' then '^[0-9A-Za-z :./+-]{0,64}$' else '^[0-9A-Za-z:._/+-]{0,64}$' end
      else false
    end
$$;

-- Meetings and deals are told apart by their ids; with a secret these are hashed alike everywhere, without one they stay.
create function impersonal_facts(facts jsonb, secret bytea) returns jsonb language sql stable as $$
  select coalesce(jsonb_object_agg(f.key, case
    when f.key = 'reviewed' then (
      select coalesce(jsonb_object_agg(r.key, r.value), '{}')
      from jsonb_each(f.value) r where is_impersonal(r.key, r.value) or r.key = 'weight' and jsonb_typeof(r.value) = 'number')
    when f.key in ('deal_id', 'meeting_id') and secret is not null then to_jsonb(keyed_hash(secret, f.key || ':' || (f.value #>> '{}')))
    else f.value
  end), '{}')
  from jsonb_each(facts) f
  where is_impersonal(f.key, f.value)
    or f.key = 'reviewed' and jsonb_typeof(f.value) = 'object'
    or f.key in ('deal_id', 'meeting_id') and jsonb_typeof(f.value) in ('string', 'number') and f.value #>> '{}' <> ''
$$;

-- Erases a lead for whom begin_erasure() closed the door, in one transaction; again, it finds nothing to do. Counts what went; outcome_ids
-- and weeks are those of all the lead's outcomes, whenever they were erased. `others` are events of other leads' outcomes that name this
-- lead: what the sender wrote goes from them, and they stay what they are.
create function erase_lead(
  organization text, lead text,
  out outcomes int, out events int, out others int, out training_rows int, out merged int, out shared_email boolean,
  out outcome_ids uuid[], out weeks date[]
) language plpgsql security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
  t lead_traces := traces_of_lead(organization, lead);
  key bytea := (select secret from erasure_key);
  foreign_ids bigint[];
  silent_ids bigint[];
  foreign_outcomes uuid[];
  erased uuid[];
  persons uuid[];
begin
  -- Who scores or exports a week may have read the lead's messages already.
  perform pg_advisory_xact_lock(7062, w.week - date '0001-01-01' + 1)
  from (select distinct outcome_week(o.sent_at) as week from outcome_labels o where o.id = any (t.outcome_ids) order by 1) w;

  -- These have no index, so they are looked for before anybody has to wait.
  foreign_ids := array(
    select e.id from webhook_events e
    where not e.erased and e.matched and e.organization_id = organization and (e.lead_id = any (t.names) or lower(e.lead_email) = any (t.emails))
      and e.id <> all (t.event_ids));
  silent_ids := array(
    select e.id from webhook_events e
    where not e.erased and not e.matched
      and (e.organization_id = organization or e.organization_id is null and not exists (
        select from organizations g join leads l on l.organization_id = g.id
        where g.id <> organization and lower(l.email) = any (t.emails)))
      and e.raw is not null and e.lead_id is null and e.lead_email is null
      and exists (
        select from unnest(array(select unnest(t.emails) union select replace(unnest(t.emails), '@', '%40')
          union select '"' || lower(i) || '"' from unnest(t.names) i where length(i) >= 6 and i ~ '[0-9]')) as s (sign)
        where position(s.sign in lower(encode(e.raw, 'escape'))) > 0));

  -- Who sends a message has the lead's row before the links.
  perform from leads p where p.organization_id = organization and p.lead_id = any (t.lead_ids) order by p.lead_id for update;
  perform lock_links(array[organization], true);
  t := traces_of_lead(organization, lead);
  t.event_ids := array(select unnest(t.event_ids) union select e.id from webhook_events e where e.id = any (silent_ids) and not e.matched);

  insert into erased_events (event)
  select keyed_hash(key, 'event:' || e.event_key) from webhook_events e where e.id = any (t.event_ids || foreign_ids)
  union select keyed_hash(key, 'alias:' || e.alias_key) from webhook_events e where e.id = any (t.event_ids || foreign_ids) and e.alias_key is not null
  on conflict do nothing;

  -- Where two events have the same time, the fold goes by their keys, so the new ones keep the order.
  update webhook_events e set
    event_key = (lpad(to_hex(r.rank), 8, '0') || substr(replace(gen_random_uuid()::text, '-', ''), 9))::uuid,
    alias_key = null, source_event_id = null, raw = null, facts = impersonal_facts(e.facts, key),
    outcome_id = case when e.matched then e.outcome_id end, named = true, refs = null, mentions = null, linked_by = null,
    lead_id = (select l.pseudonym from erased_leads l where l.organization_id = organization and l.lead = keyed_hash(key, 'lead:' || e.lead_id)),
    lead_email = null, unmatched_reason = case when not e.matched then 'its lead was erased' end, erased = true
  from (
    select id, row_number() over (partition by outcome_id order by event_key) as rank from webhook_events where id = any (t.event_ids)
  ) r
  where e.id = r.id;
  get diagnostics events = row_count;

  with emptied as (
    update webhook_events e set raw = null, facts = impersonal_facts(e.facts, null), lead_id = null, lead_email = null, source_event_id = null
    where e.id = any (foreign_ids) and not e.erased
    returning e.outcome_id
  )
  select count(*), array_agg(distinct outcome_id) into others, foreign_outcomes from emptied;

  delete from outcome_references r where r.organization_id = organization and r.outcome_id = any (t.outcome_ids) and r.reference = any (t.refs);
  delete from reference_aliases a using (select array_agg('lead:' || n) || t.refs as names from unnest(t.names) n) mine
  where a.organization_id in (organization, '') and (a.reference = any (mine.names) or a.same_as = any (mine.names));

  perform from outcome_labels o where o.id = any (t.outcome_ids || foreign_outcomes) order by o.id for update;
  update outcome_labels o set
    lead_id = l.pseudonym, subject_line = null, message_body = '', agent_decisions = '{}', reply_text = null, bounce_reason = null
  from erased_leads l
  where o.id = any (t.outcome_ids) and l.organization_id = organization and l.lead = keyed_hash(key, 'lead:' || o.lead_id);
  get diagnostics outcomes = row_count;
  perform fold_outcomes(array(select o.id from outcome_labels o where o.id = any (t.outcome_ids || foreign_outcomes) and o.event_count > 0));

  update leads p set lead_id = l.pseudonym, email = null, first_name = null, last_name = null, company = null, phone = null, updated_at = now()
  from erased_leads l
  where p.organization_id = organization and p.lead_id = any (t.lead_ids) and l.organization_id = organization and l.lead = keyed_hash(key, 'lead:' || p.lead_id);

  persons := array(
    select l.person from erased_leads l
    where l.organization_id = organization and l.lead in (select keyed_hash(key, 'lead:' || i) from unnest(t.lead_ids) i));
  select array_agg(o.id order by o.id), array_agg(distinct outcome_week(o.sent_at)) into outcome_ids, weeks
  from erased_leads l
  join outcome_labels o on o.organization_id = l.organization_id and o.lead_id = l.pseudonym
  where l.organization_id = organization and l.person = any (persons);
  erased := outcome_ids;

  with gone as (
    delete from scored_training_rows s where s.outcome_id = any (erased) returning s.week, s.text_key
  ),
  lonely as (
    delete from message_bands b using (select distinct week, text_key from gone where text_key is not null) g
    where b.week = g.week and b.text_key = g.text_key and not exists (
      select from scored_training_rows s where s.week = g.week and s.text_key = g.text_key and s.outcome_id <> all (erased))
  )
  select count(*) into training_rows from gone;
  delete from reply_questions q where q.outcome_id = any (erased) and q.answered_at is null;
  update datasets d set erased_at = now()
  where d.erased_at is null and exists (select from dataset_members m where m.dataset_hash = d.hash and m.outcome_id = any (erased));
  update warehouse_exports x set due = true where x.week = any (weeks) and outcomes > 0;
  update erased_leads l set erased_at = now() where l.organization_id = organization and l.erased_at is null and l.person = any (persons);
  merged := cardinality(t.lead_ids) - 1;
  shared_email := coalesce(t.shared_email, false);
  outcome_ids := coalesce(outcome_ids, '{}');
  weeks := coalesce(weeks, '{}');
end
$$;

-- The planner keeps samples of columns, message texts among them; drawn anew, they hold nothing of what was erased.
create function draw_samples_anew() returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  analyze leads, outcome_labels, webhook_events, outcome_references, reference_aliases, scored_training_rows;
end
$$;

revoke execute on function begin_erasure(text, text, boolean), erase_lead(text, text), traces_of_lead(text, text), draw_samples_anew(),
  without_erased(jsonb), refuse_erased(text[], text[], uuid[], text[]) from public;
grant execute on function begin_erasure(text, text, boolean), erase_lead(text, text), draw_samples_anew(), without_erased(jsonb),
  refuse_erased(text[], text[], uuid[], text[]) to flywheel_service;

-- migrate:down
drop function draw_samples_anew();
drop function erase_lead(text, text);
drop function impersonal_facts(jsonb, bytea);
drop function is_impersonal(text, jsonb);
drop function begin_erasure(text, text, boolean);
drop function traces_of_lead(text, text);
drop type lead_traces;
drop function known_elsewhere(text, text, text);
drop function names_of_merger(jsonb);
drop function without_erased(jsonb);
drop trigger after_update_erased on leads;
drop trigger after_insert_erased on leads;
drop function leads_refuse_erased();
drop trigger after_insert_erased on outcome_labels;
drop function outcome_labels_refuse_erased();
drop function refuse_erased(text[], text[], uuid[], text[]);
drop trigger before_write_share_erasure on leads;
drop trigger before_insert_share_erasure on outcome_labels;
drop function share_erasure();
drop function keyed_hash(bytea, text);
drop table erased_events;
drop table erased_names;
drop table erased_leads;
drop table erasure_key;
