-- migrate:up
-- The one way in: record_events() writes the ledger and folds in the same transaction, in one round trip. And what happens
-- when an outcome appears, whoever inserts it: its organisation and lead exist, and events that were waiting for it are folded.

-- Each element: event_key, event_type, occurred_at, source, and optionally organization_id, outcome_id, source_event_id, facts,
-- raw (base64). Returns how many were new, how many were known already, and how many of the new ones found no outcome.
create function record_events(batch jsonb, out recorded int, out repeated int, out unmatched int) language plpgsql as $$
declare
  unknown int[];
  touched uuid[];
begin
  select array_agg(distinct outcome_bucket(e.outcome_id)) into unknown
  from jsonb_to_recordset(batch) as e (outcome_id uuid)
  where e.outcome_id is not null and not exists (select from outcome_labels o where o.id = e.outcome_id);
  if unknown is not null then
    perform pg_advisory_xact_lock(7061, bucket) from (select unnest(unknown) as bucket order by 1) b;
  end if;

  with incoming as materialized (
    select e.*, o.organization_id as owner
    from jsonb_to_recordset(batch) as e (
      event_key uuid, organization_id text, outcome_id uuid, event_type outcome_event_type, occurred_at timestamptz,
      source text, source_event_id text, facts jsonb, raw text)
    left join outcome_labels o on o.id = e.outcome_id
  ),
  written as (
    insert into webhook_events (event_key, organization_id, outcome_id, event_type, occurred_at, source, source_event_id, facts, raw, matched, unmatched_reason)
    select i.event_key, coalesce(i.organization_id, i.owner), i.outcome_id, i.event_type, i.occurred_at, i.source, i.source_event_id,
      coalesce(i.facts, '{}'), decode(i.raw, 'base64'), r.reason is null, r.reason
    from incoming i
    cross join lateral (select case
      when i.outcome_id is null then 'names no outcome'
      when i.owner is null then 'outcome not known yet'
      when i.organization_id <> i.owner then 'outcome belongs to another organization'
    end as reason) r
    order by i.event_key
    on conflict (event_key) do nothing
    returning outcome_id, matched
  )
  select count(*), jsonb_array_length(batch) - count(*), count(*) filter (where not w.matched), array_agg(distinct w.outcome_id) filter (where w.matched)
  into recorded, repeated, unmatched, touched
  from written w;

  if touched is not null then
    perform fold_outcomes(touched);
  end if;
end
$$;

create function outcome_labels_after_insert() returns trigger language plpgsql as $$
declare
  adopted uuid[];
begin
  insert into organizations (id) select distinct organization_id from arrived order by 1 on conflict do nothing;
  insert into leads (organization_id, lead_id, industry, role, company_size, icp_score)
    select distinct on (organization_id, lead_id) organization_id, lead_id, lead_industry, lead_role, company_size, icp_score
    from arrived order by organization_id, lead_id, sent_at desc
    on conflict do nothing;

  perform pg_advisory_xact_lock_shared(7061, bucket) from (select distinct outcome_bucket(id) as bucket from arrived order by 1) b;
  with waiting as (
    update webhook_events e set matched = true, unmatched_reason = null, organization_id = a.organization_id
    from arrived a
    where e.outcome_id = a.id and not e.matched and (e.organization_id is null or e.organization_id = a.organization_id)
    returning e.outcome_id
  )
  select array_agg(distinct outcome_id) into adopted from waiting;
  if adopted is not null then
    perform fold_outcomes(adopted);
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
