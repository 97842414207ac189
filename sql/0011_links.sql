-- migrate:up
-- How an event that doesn't name its outcome finds it: by what it is about (a message, a deal, a meeting) when another event or the
-- sender of the message claimed that for an outcome; else by its lead, when one message alone can be meant. resolve_links() reads
-- the ledger, the claims and the outcomes and nothing else, so the order of arrival can't matter; link_events() writes what it says.

create table outcome_references (
  organization_id text not null,
  reference text not null,
  outcome_id uuid not null,
  primary key (reference, organization_id, outcome_id)
);
comment on table outcome_references is 'What belongs to which outcome, by the events that name both. Rebuilt by relink().';

create table reference_aliases (
  organization_id text not null,
  reference text not null,
  same_as text not null,
  primary key (organization_id, reference, same_as)
);
create index reference_aliases_back on reference_aliases (organization_id, same_as);
comment on table reference_aliases is 'Merged contacts, leads and deals: two names of one thing.';

alter table outcome_references enable row level security;
alter table reference_aliases enable row level security;
create policy service on outcome_references to flywheel_service using (true) with check (true);
create policy service on reference_aliases to flywheel_service using (true) with check (true);

-- All names of a thing, through any number of mergers.
create function same_references(organization text, reference text) returns text[] language sql stable as $$
  with recursive same (name) as (
    select reference
    union
    select case when a.reference = s.name then a.same_as else a.reference end
    from same s
    join reference_aliases a on a.organization_id = organization and s.name in (a.reference, a.same_as)
  )
  select array_agg(name) from same
$$;

-- For each of these events that doesn't name its outcome: the outcome, how it was found, or why it wasn't.
create function resolve_links(ids bigint[])
returns table (event_id bigint, outcome_id uuid, organization_id text, linked_by text, reason text)
language plpgsql stable set enable_hashjoin = on as $$
#variable_conflict use_column
declare
  mergers boolean := exists (select from reference_aliases);
begin
  return query
  with sought as materialized (
    select e.id, e.event_type, case when e.unbound then '' else e.organization_id end as organization, e.refs, e.mentions, e.lead_id, e.lead_email, e.occurred_at
    from webhook_events e
    where e.id = any (ids) and not e.named
  ),
  -- The strongest name that somebody claimed; refs come before mentions.
  claimed as (
    select distinct on (s.id) s.id, c.outcomes, c.outcome_id, c.organization_id
    from sought s
    cross join lateral unnest(coalesce(s.refs, '{}') || coalesce(s.mentions, '{}')) with ordinality as u (reference, place)
    cross join lateral (
      select count(distinct r.outcome_id) as outcomes, (array_agg(r.outcome_id))[1] as outcome_id, min(r.organization_id) as organization_id
      from outcome_references r
      where r.reference = any (case when mergers then same_references(s.organization, u.reference) else array[u.reference] end)
        and (s.organization = '' or r.organization_id = s.organization)
    ) c
    where c.outcomes > 0
    order by s.id, u.place
  ),
  -- What is said of the lead, by this event or by another about the same thing.
  hint as materialized (
    select s.id, s.organization, p.lead_id, lower(p.lead_email) as email, p.occurred_at
    from sought s
    cross join lateral (
      select s.lead_id, s.lead_email, s.occurred_at
      union
      select p.lead_id, p.lead_email, p.occurred_at
      from webhook_events p
      where s.refs is not null and not p.named and not p.unbound and p.organization_id = s.organization
        and p.refs && case when mergers then (select array_agg(n) from unnest(s.refs) r, unnest(same_references(s.organization, r)) n) else s.refs end
    ) p
    where s.organization <> '' and (p.lead_id is not null or p.lead_email is not null)
      and not exists (select from claimed c where c.id = s.id)
  ),
  lead as (
    select h.id, 'lead_id' as found_by, h.organization, substr(n.name, 6) as lead_id, h.occurred_at
    from hint h
    cross join lateral unnest(case when mergers then same_references(h.organization, 'lead:' || h.lead_id) else array['lead:' || h.lead_id] end) n (name)
    where h.lead_id is not null
    union
    select h.id, 'email', h.organization, substr(n.name, 6), h.occurred_at
    from hint h
    join leads l on l.organization_id = h.organization and lower(l.email) = h.email
    cross join lateral unnest(case when mergers then same_references(h.organization, 'lead:' || l.lead_id) else array['lead:' || l.lead_id] end) n (name)
    where h.email is not null
  ),
  met as (
    select l.id, l.found_by, l.occurred_at, count(distinct o.id) as outcomes, (array_agg(o.id))[1] as outcome_id
    from lead l
    join organizations g on g.id = l.organization
    join outcome_labels o on o.organization_id = l.organization and o.lead_id = l.lead_id
      and o.sent_at <= l.occurred_at + interval '5 minutes' and o.sent_at > l.occurred_at - make_interval(days => g.link_window_days)
    group by l.id, l.found_by, l.occurred_at
  ),
  -- The earliest hint that leads anywhere: a deal belongs to the message before it began. Then lead_id comes before email.
  best as (
    select distinct on (m.id) m.* from met m order by m.id, m.occurred_at, m.found_by desc
  )
  select s.id,
    case when c.outcomes = 1 then c.outcome_id when c.id is null and b.outcomes = 1 then b.outcome_id end,
    case when c.outcomes = 1 then c.organization_id else nullif(s.organization, '') end,
    case when c.outcomes = 1 then 'reference' when c.id is null and b.outcomes = 1 then b.found_by end,
    case
      when c.outcomes = 1 or (c.id is null and b.outcomes = 1) then null
      when s.event_type = 'merged' then 'concerns no message'
      when c.outcomes > 1 or b.outcomes > 1 then 'several outcomes could be meant'
      when s.lead_id is null and s.lead_email is null and s.refs is null and s.mentions is null then
        case when s.event_type = 'noted' then 'concerns no message' else 'names no outcome' end
      when s.organization = '' and s.refs is null and s.mentions is null then 'its connection is bound to no organization'
      when exists (select from lead l where l.id = s.id) then 'its lead was sent nothing in the time before'
      when s.lead_id is not null or s.lead_email is not null then 'its lead is not known yet'
      else 'its message, deal or meeting is not known yet'
    end
  from sought s
  left join claimed c on c.id = s.id
  left join best b on b.id = s.id;
end
$$;

-- Brings the links of these events in step; returns the outcomes that won or lost an event.
create function link_events(ids bigint[]) returns uuid[] language sql as $$
  with before as materialized (
    select id, outcome_id, matched, unmatched_reason, organization_id from webhook_events where id = any (ids) and not named order by id for no key update
  ),
  changed as (
    update webhook_events e
    set outcome_id = r.outcome_id, organization_id = r.organization_id, linked_by = r.linked_by, matched = r.reason is null, unmatched_reason = r.reason
    from resolve_links(ids) r join before b on b.id = r.event_id
    where e.id = r.event_id and (b.outcome_id is distinct from r.outcome_id or b.unmatched_reason is distinct from r.reason)
    returning b.outcome_id as old, e.outcome_id as new
  )
  select array_agg(distinct c.outcome) from changed, lateral (values (old), (new)) c (outcome) where c.outcome is not null
$$;

-- The events without a named outcome that these names may concern. An empty organisation means any.
create function events_about(organization text, names text[]) returns bigint[] language sql stable as $$
  select array_agg(e.id) from webhook_events e
  where not e.named and (e.refs && names or e.mentions && names) and (organization = '' or e.unbound or e.organization_id = organization)
$$;

-- Takes the locks under which the links of these organisations are decided. Who decides has them alone; who sends messages shares them.
-- Events of no organisation look at everybody's claims, so who decides for some organisation shares the lock of none ('').
create function lock_links(organizations text[], alone boolean) returns void language plpgsql as $$
declare
  wanted record;
begin
  for wanted in
    select hashtext(o) as key, bool_or(alone and o = any (organizations)) as alone from unnest(organizations || case when alone then '{""}'::text[] end) o group by 1 order by 1
  loop
    if wanted.alone then perform pg_advisory_xact_lock(7067, wanted.key); else perform pg_advisory_xact_lock_shared(7067, wanted.key); end if;
  end loop;
end
$$;

-- Events that name both an outcome of theirs and other things claim these for it; returns the events that were waiting for that.
create function claim_references(ids bigint[]) returns bigint[] language plpgsql as $$
declare
  claims record;
  waiting bigint[] := '{}';
begin
  for claims in
    with fresh as (
      insert into outcome_references (organization_id, reference, outcome_id)
      select distinct e.organization_id, u.reference, e.outcome_id
      from webhook_events e cross join lateral unnest(e.refs) as u (reference)
      where e.id = any (ids) and e.named and e.matched and e.refs is not null
      order by 2, 1, 3
      on conflict do nothing
      returning organization_id, reference
    )
    select f.organization_id as organization, array_agg(distinct n) as names
    from fresh f cross join lateral unnest(same_references(f.organization_id, f.reference)) n
    group by 1
  loop
    waiting := waiting || coalesce(events_about(claims.organization, claims.names), '{}');
  end loop;
  return waiting;
end
$$;

-- After events were written: mergers, claims, and then every link that these or the new events may change. Returns the outcomes to fold.
create function link_batch(named_ids bigint[], sought_ids bigint[], merged_ids bigint[]) returns uuid[] language plpgsql as $$
declare
  concerned bigint[] := coalesce(sought_ids, '{}');
  group_ record;
begin
  if merged_ids is not null then
    insert into reference_aliases (organization_id, reference, same_as)
    select distinct case when e.unbound then '' else e.organization_id end, m.name, e.facts ->> 'into'
    from webhook_events e cross join lateral jsonb_array_elements_text(e.facts -> 'merged') m (name)
    where e.id = any (merged_ids)
    order by 1, 2, 3
    on conflict do nothing;
    for group_ in
      select o.id as organization, same_references(o.id, e.facts ->> 'into') as names
      from webhook_events e cross join lateral (select case when e.unbound then '' else e.organization_id end as id) o where e.id = any (merged_ids)
    loop
      concerned := concerned || coalesce(events_about(group_.organization, group_.names), '{}')
        || array(select e.id from webhook_events e where not e.named and e.organization_id = group_.organization
             and ('lead:' || e.lead_id = any (group_.names) or lower(e.lead_email) in (
               select lower(l.email) from leads l where l.organization_id = group_.organization and 'lead:' || l.lead_id = any (group_.names))));
    end loop;
  end if;
  if named_ids is not null then
    concerned := concerned || claim_references(named_ids);
  end if;
  -- What a new event says of the lead helps others about the same thing.
  for group_ in
    select o.id as organization, array_agg(distinct n) as names
    from webhook_events e
    cross join lateral (select case when e.unbound then '' else e.organization_id end as id) o
    cross join lateral unnest(e.refs) r cross join lateral unnest(same_references(o.id, r)) n
    where e.id = any (sought_ids)
    group by 1
  loop
    concerned := concerned || coalesce(events_about(group_.organization, group_.names), '{}');
  end loop;
  return case when concerned <> '{}' then link_events(concerned) end;
end
$$;

-- An outcome appeared, or a lead's address: events that named only the lead are decided again.
create function relink_leads(organization text, lead_ids text[], emails text[]) returns void language plpgsql as $$
declare
  hinting bigint[];
  concerned bigint[];
  touched uuid[];
begin
  if exists (select from reference_aliases a where a.organization_id = organization) then
    lead_ids := array(select distinct substr(n, 6) from unnest(lead_ids) l, unnest(same_references(organization, 'lead:' || l)) n);
  end if;
  emails := array(
    select distinct lower(l.email) from leads l where l.organization_id = organization and l.lead_id = any (lead_ids) and l.email is not null
    union select lower(e) from unnest(emails) e);
  select array_agg(e.id) into hinting from webhook_events e
  where not e.named and not e.unbound and e.organization_id = organization and (e.lead_id = any (lead_ids) or lower(e.lead_email) = any (emails));
  if hinting is null then
    return;
  end if;
  perform lock_links(array[organization], true);
  select array_agg(distinct p.id) into concerned
  from (
    select unnest(hinting) as id
    union
    select unnest(events_about(organization, n.names))
    from (
      select array_agg(distinct s) as names
      from webhook_events e, unnest(e.refs) r, unnest(same_references(organization, r)) s
      where e.id = any (hinting)) n
    where n.names is not null
  ) p;
  touched := link_events(concerned);
  if touched is not null then
    perform fold_outcomes(touched);
  end if;
end
$$;

create function leads_after_write() returns trigger language plpgsql
set enable_seqscan = off set jit = off  -- as in record_events (0007)
as $$
declare
  changed record;
begin
  for changed in
    select organization_id, array_agg(lead_id) as lead_ids, array_agg(email) as emails from arrived where email is not null group by 1 order by hashtext(organization_id)
  loop
    if exists (select from webhook_events e where not e.named and e.organization_id = changed.organization_id) then
      perform lock_links(array[changed.organization_id], true);
    end if;
    perform relink_leads(changed.organization_id, changed.lead_ids, changed.emails);
  end loop;
  return null;
end
$$;
create trigger after_insert after insert on leads referencing new table as arrived
  for each statement execute function leads_after_write();
create trigger after_update after update on leads referencing new table as arrived
  for each statement execute function leads_after_write();

-- Decides all links of an organisation (null: all) anew; returns how many events are matched now that weren't, and how many are left.
create function relink(organization text, out linked int, out unmatched int) language plpgsql as $$
declare
  before int;
  everyone text[];
  touched uuid[];
begin
  select array_agg(id) || '{""}' into everyone from organizations where organization is null or id = organization;
  perform lock_links(everyone, true);
  select count(*) into before from webhook_events e where not e.matched and (organization is null or e.organization_id = organization);
  perform claim_references(array(select e.id from webhook_events e where e.named and e.matched and e.refs is not null and (organization is null or e.organization_id = organization)));
  touched := link_events(array(select e.id from webhook_events e where not e.named and (organization is null or e.organization_id = organization or e.unbound)));
  if touched is not null then
    perform fold_outcomes(touched);
  end if;
  select count(*) into unmatched from webhook_events e where not e.matched and (organization is null or e.organization_id = organization);
  linked := before - unmatched;
end
$$;

-- migrate:down
drop function relink(text);
drop trigger after_update on leads;
drop trigger after_insert on leads;
drop function leads_after_write();
drop function link_batch(bigint[], bigint[], bigint[]);
drop function relink_leads(text, text[], text[]);
drop function claim_references(bigint[]);
drop function lock_links(text[], boolean);
drop function events_about(text, text[]);
drop function link_events(bigint[]);
drop function resolve_links(bigint[]);
drop function same_references(text, text);
drop table reference_aliases;
drop table outcome_references;
