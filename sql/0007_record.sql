-- migrate:up
-- The one way in: record_events() writes the ledger and folds in the same transaction, in one round trip. And what happens
-- when an outcome appears, whoever inserts it: its organisation and lead exist, and events that were waiting for it are folded.

-- Each element: event_key, event_type, occurred_at, source, and optionally alias_key, organization_id, outcome_id, source_event_id, facts,
-- raw (base64), refs, mentions, lead_id, lead_email. Returns how many were new, how many were known already, how many of the new ones
-- found no outcome, and how many weren't stored because their lead was erased (0015).
-- A connection that lives long keeps its plans, and on young, small tables the best plan reads them whole. Whatever is looked up here is
-- looked up by key, so only plans that do so are allowed.
create function record_events(batch jsonb, out recorded int, out repeated int, out unmatched int, out dropped int) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off
-- Before PostgreSQL 18 a plan that isn't allowed counts as endlessly dear, and dear plans are compiled, which takes longer than all else.
set jit = off
as $$
declare
  deciding text[];
  unknown int[];
  named_ids bigint[];
  sought_ids bigint[];
  merged_ids bigint[];
  touched uuid[];
  redelivered int := 0;
begin
  -- An erasure waits for us, or we see it.
  perform pg_advisory_xact_lock_shared(7069, 0);
  dropped := 0;
  if exists (select from erased_leads) then
    select w.kept, w.repeated, w.dropped into batch, redelivered, dropped from without_erased(batch) w;
  end if;

  -- Who decides links does so alone (0011): events that don't name their outcome, mergers, and claims that are new.
  select array_agg(distinct d.organization) into deciding
  from jsonb_to_recordset(batch) as e (organization_id text, outcome_id uuid, event_type outcome_event_type, refs text[])
  left join outcome_labels o on o.id = e.outcome_id
  cross join lateral (
    select coalesce(e.organization_id, '') as organization where e.outcome_id is null
    union all
    select o.organization_id
    where e.refs is not null and o.id is not null and exists (
      select from unnest(e.refs) r
      where not exists (select from outcome_references c where c.reference = r and c.organization_id = o.organization_id and c.outcome_id = o.id))
  ) d;
  if deciding is not null then
    perform lock_links(deciding, true);
  end if;

  select array_agg(distinct outcome_bucket(e.outcome_id)) into unknown
  from jsonb_to_recordset(batch) as e (outcome_id uuid)
  where e.outcome_id is not null and not exists (select from outcome_labels o where o.id = e.outcome_id);
  if unknown is not null then
    perform pg_advisory_xact_lock(7061, bucket) from (select unnest(unknown) as bucket order by 1) b;
  end if;

  with incoming as materialized (
    select e.*, o.organization_id as owner
    from jsonb_to_recordset(batch) as e (
      event_key uuid, alias_key uuid, organization_id text, outcome_id uuid, event_type outcome_event_type, occurred_at timestamptz,
      source text, source_event_id text, facts jsonb, raw text, refs text[], mentions text[], lead_id text, lead_email text)
    left join outcome_labels o on o.id = e.outcome_id
  ),
  written as (
    insert into webhook_events (
      event_key, alias_key, organization_id, unbound, outcome_id, named, event_type, occurred_at, source, source_event_id, facts, raw,
      refs, mentions, lead_id, lead_email, matched, unmatched_reason)
    select i.event_key, i.alias_key, coalesce(i.organization_id, i.owner), i.organization_id is null, i.outcome_id, i.outcome_id is not null, i.event_type, i.occurred_at,
      i.source, i.source_event_id, coalesce(i.facts, '{}'), decode(i.raw, 'base64'),
      i.refs, i.mentions, i.lead_id, i.lead_email, r.reason is null, r.reason
    from incoming i
    cross join lateral (select case
      when i.outcome_id is null then 'names no outcome'
      when i.owner is null then 'outcome not known yet'
      when i.organization_id <> i.owner then 'outcome belongs to another organization'
    end as reason) r
    order by i.event_key
    on conflict do nothing
    returning id, outcome_id, named, matched, event_type, refs
  )
  select count(*), redelivered + jsonb_array_length(batch) - count(*), count(*) filter (where not w.matched and w.named),
    array_agg(distinct w.outcome_id) filter (where w.matched),
    array_agg(w.id) filter (where w.matched and w.refs is not null), array_agg(w.id) filter (where not w.named),
    array_agg(w.id) filter (where w.event_type = 'merged')
  into recorded, repeated, unmatched, touched, named_ids, sought_ids, merged_ids
  from written w;

  if deciding is not null then
    touched := touched || link_batch(named_ids, sought_ids, merged_ids);
  end if;
  if sought_ids is not null then
    unmatched := unmatched + (select count(*) from webhook_events e where e.id = any (sought_ids) and not e.matched);
  end if;
  if touched is not null then
    perform fold_outcomes(touched);
  end if;
end
$$;

create function outcome_labels_after_insert() returns trigger language plpgsql
set enable_seqscan = off set jit = off  -- as in record_events
as $$
declare
  organization_ids text[];
  buckets int[];
  organization record;
  sought boolean;
  adopted uuid[];
  adopted_ids bigint[];
begin
  -- The new rows are wide and many, so they are read as seldom as can be.
  select array_agg(distinct organization_id), array_agg(distinct outcome_bucket(id)) into organization_ids, buckets from arrived;
  if organization_ids is null then
    return null;
  end if;
  insert into organizations (id) select o from unnest(organization_ids) o order by 1 on conflict do nothing;
  insert into leads (organization_id, lead_id, industry, role, company_size, icp_score)
    select distinct on (organization_id, lead_id) organization_id, lead_id, lead_industry, lead_role, company_size, icp_score
    from arrived order by organization_id, lead_id, sent_at desc
    on conflict do nothing;

  -- Alone where events wait whose links are open, so that two senders don't decide them unseen by each other.
  for organization in select o as id from unnest(organization_ids) o order by hashtext(o) loop
    sought := exists (select from webhook_events e where not e.named and e.organization_id = organization.id)
      or exists (select from webhook_events e where e.named and not e.matched and e.outcome_id is not null and e.refs is not null)
        and exists (select from webhook_events e join arrived a on a.id = e.outcome_id where a.organization_id = organization.id and e.named and not e.matched and e.refs is not null);
    perform lock_links(array[organization.id], sought);
  end loop;
  perform pg_advisory_xact_lock_shared(7061, bucket) from (select b as bucket from unnest(buckets) b order by 1) b;

  -- Nearly always nobody waits by name; then there is nothing to look for row by row.
  if exists (select from webhook_events e where e.named and not e.matched and e.outcome_id is not null) then
    with waiting as (
      update webhook_events e set matched = true, unmatched_reason = null, organization_id = a.organization_id
      from arrived a
      where e.outcome_id = a.id and e.named and not e.matched and (e.organization_id is null or e.organization_id = a.organization_id)
      returning e.outcome_id, e.id, e.refs
    )
    select array_agg(distinct w.outcome_id), array_agg(w.id) filter (where w.refs is not null) into adopted, adopted_ids from waiting w;
  end if;
  if adopted_ids is not null then
    for organization in select o as id from unnest(organization_ids) o order by hashtext(o) loop
      perform lock_links(array[organization.id], true);
    end loop;
    adopted := adopted || link_batch(adopted_ids, null, null);
  end if;
  if adopted is not null then
    perform fold_outcomes(adopted);
  end if;
  if exists (select from webhook_events e where not e.named and e.organization_id = any (organization_ids)) then
    for organization in select organization_id as id, array_agg(distinct lead_id) as lead_ids from arrived group by 1 order by hashtext(organization_id) loop
      perform relink_leads(organization.id, organization.lead_ids, null);
    end loop;
  end if;
  return null;
end
$$;
create trigger after_insert after insert on outcome_labels
  referencing new table as arrived
  for each statement execute function outcome_labels_after_insert();

-- migrate:down
drop trigger after_insert on outcome_labels;
drop function outcome_labels_after_insert();
drop function record_events(jsonb);
