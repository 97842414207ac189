-- migrate:up
-- Leads who asked to be forgotten. Their personal data goes; what statistics need stays under a pseudonym. Of their names only keyed hashes
-- are kept, so that nothing about them is ever stored again. How a lead is erased is in 0016.

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

revoke execute on function without_erased(jsonb), refuse_erased(text[], text[], uuid[], text[]) from public;
grant execute on function without_erased(jsonb), refuse_erased(text[], text[], uuid[], text[]) to flywheel_service;

-- migrate:down
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
