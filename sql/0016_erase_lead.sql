-- migrate:up
-- Erasing a lead takes two steps: begin_erasure() closes the door and takes a moment, erase_lead() then has all the time it needs, because
-- nobody can write about the lead any more.

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
    and not exists (select from leads l where l.organization_id = organization and l.lead_id = any (t.lead_ids))
    and not exists (select from model_exposures x where x.organization_id = organization and x.unit in (select 'lead:' || n from unnest(t.names) n))
    and not exists (select from model_requests r where r.organization_id = organization and r.unit in (select 'lead:' || n from unnest(t.names) n))
    and not exists (select from lead_scores s where s.organization_id = organization and s.lead_id = any (t.names)) then
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
  out outcomes int, out events int, out others int, out training_rows int, out scorings int, out merged int, out shared_email boolean,
  out outcome_ids uuid[], out weeks date[], out lead_models text[]
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

  update model_exposures x set unit = 'lead:' || l.pseudonym
  from erased_leads l
  where x.organization_id = organization and x.unit in (select 'lead:' || n from unnest(t.names) n)
    and l.organization_id = organization and l.lead = keyed_hash(key, x.unit);
  delete from model_exposures x where x.organization_id = organization and x.unit in (select 'lead:' || n from unnest(t.names) n);
  update model_requests r set unit = (
    select 'lead:' || l.pseudonym from erased_leads l where l.organization_id = organization and l.lead = keyed_hash(key, r.unit))
  where r.organization_id = organization and r.unit in (select 'lead:' || n from unnest(t.names) n);

  -- What was scored and said goes with the lead's row; whoever learnt from it stays known.
  select count(*) into scorings from lead_scorings c where c.organization_id = organization and c.lead_id = any (t.names);
  delete from lead_scores s where s.organization_id = organization and s.lead_id = any (t.names);
  update lead_model_members m set lead_id = l.pseudonym, out_of_fold = null, row_group = null
  from lead_models v, erased_leads l
  where v.organization_id = organization and m.model_id = v.id and m.lead_id = any (t.lead_ids)
    and l.organization_id = organization and l.lead = keyed_hash(key, 'lead:' || m.lead_id);

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
  select array_agg(v.version order by v.made_at) into lead_models
  from lead_models v
  where v.organization_id = organization and exists (
    select from lead_model_members m join erased_leads l on l.pseudonym = m.lead_id
    where m.model_id = v.id and l.organization_id = organization and l.person = any (persons));

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
  -- Behind the datasets, whose rows hold those who keep answers. A model that learnt from the lead's messages may quote them to anybody, and a
  -- judge what it was shown.
  with learnt as (
    select distinct j.trainer, j.model_id from fine_tuning_jobs j join dataset_members m on m.dataset_hash = j.dataset_hash
    where m.outcome_id = any (erased) and j.model_id is not null
  ),
  quoting as (
    delete from model_answers a using learnt l where a.trainer = l.trainer and a.model_id = l.model_id returning a.outcome_id
  )
  delete from model_answers a
  where a.outcome_id = any (erased) or a.trainer = 'judge' and a.outcome_id in (select outcome_id from quoting);
  update warehouse_exports x set due = true where x.week = any (weeks) and outcomes > 0;
  update erased_leads l set erased_at = now() where l.organization_id = organization and l.erased_at is null and l.person = any (persons);
  merged := cardinality(t.lead_ids) - 1;
  shared_email := coalesce(t.shared_email, false);
  outcome_ids := coalesce(outcome_ids, '{}');
  weeks := coalesce(weeks, '{}');
  lead_models := coalesce(lead_models, '{}');
end
$$;

-- The planner keeps samples of columns, message texts among them; drawn anew, they hold nothing of what was erased.
create function draw_samples_anew() returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  analyze leads, outcome_labels, webhook_events, outcome_references, reference_aliases, scored_training_rows, model_answers, model_exposures, model_requests,
    lead_scores, lead_scorings, lead_feedback, lead_model_members;
end
$$;

revoke execute on function begin_erasure(text, text, boolean), erase_lead(text, text), traces_of_lead(text, text), draw_samples_anew() from public;
grant execute on function begin_erasure(text, text, boolean), erase_lead(text, text), draw_samples_anew() to flywheel_service;

-- migrate:down
drop function draw_samples_anew();
drop function erase_lead(text, text);
drop function impersonal_facts(jsonb, bytea);
drop function is_impersonal(text, jsonb);
drop function begin_erasure(text, text, boolean);
drop function traces_of_lead(text, text);
drop type lead_traces;
