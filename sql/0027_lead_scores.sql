-- migrate:up
-- Scores of leads, what is said of whether they converted, and the models that learn from both. What is learnt from are the features as they
-- were when a lead was scored, so the history of scorings is kept beside the newest state.

create table lead_scores (
  organization_id text not null check (organization_id <> 'global' and length(organization_id) between 1 and 200),
  lead_id text not null check (length(lead_id) between 1 and 200),
  age int check (age between 0 and 150),
  location text,
  industry text,
  email_opens int check (email_opens >= 0),
  website_visits int check (website_visits >= 0),
  content_downloads int check (content_downloads >= 0),
  days_since_contact int check (days_since_contact >= 0),
  lead_source text check (lead_source in ('Webinar', 'Referral', 'Cold Call', 'Email Campaign', 'Organic', 'Trade Show', 'Advertisement')),
  attributes jsonb not null default '{}' check (jsonb_typeof(attributes) = 'object'),
  conversion_score double precision not null check (conversion_score between 0 and 1),
  risk_category text not null check (risk_category in ('high', 'medium', 'low')),
  actual_outcome boolean,
  model_version text not null,
  "timestamp" timestamptz not null default now(),
  primary key (organization_id, lead_id)
);
comment on table lead_scores is 'The newest state of each lead; lead_scorings has all of them.';
comment on column lead_scores.risk_category is 'high: likely to convert.';
comment on column lead_scores.actual_outcome is 'What lead_feedback has in force: converted, lost, or null while nobody said. Kept by a trigger.';
comment on column lead_scores.model_version is 'The version that scored it, or ''prior'' where none was deployed.';
create index lead_scores_by_id on lead_scores (organization_id, lower(lead_id) text_pattern_ops);
create index lead_scores_waiting on lead_scores (organization_id, conversion_score desc, lead_id) where actual_outcome is null;
create index lead_scores_told on lead_scores (organization_id, "timestamp" desc) include (actual_outcome) where actual_outcome is not null;

create table lead_scorings (
  id bigint generated always as identity primary key,
  organization_id text not null,
  lead_id text not null,
  scored_at timestamptz not null,
  features jsonb not null check (jsonb_typeof(features) = 'object'),
  conversion_score double precision not null check (conversion_score between 0 and 1),
  risk_category text not null check (risk_category in ('high', 'medium', 'low')),
  model_version text not null,
  reasons jsonb not null default '[]' check (jsonb_typeof(reasons) = 'array'),
  with_outcome boolean not null default false,
  source text not null check (source in ('api', 'import')),
  foreign key (organization_id, lead_id) references lead_scores on delete cascade
);
comment on column lead_scorings.features is 'All that was known of the lead then, standard fields and attributes side by side; what is absent was missing.';
comment on column lead_scorings.with_outcome is 'They came together with the outcome, and so may know of it.';
create index lead_scorings_by_lead on lead_scorings (organization_id, lead_id, scored_at);
-- A table that is imported again brings nothing new.
create unique index lead_scorings_imported on lead_scorings (organization_id, lead_id, md5(features::text)) where source = 'import';

create table lead_feedback (
  id bigint generated always as identity primary key,
  organization_id text not null,
  lead_id text not null,
  outcome boolean,
  told_at timestamptz not null,
  recorded_at timestamptz not null default now(),
  source text not null check (source in ('score', 'feedback', 'form', 'file', 'import', 'deal')),
  told_by text,
  outcome_id uuid,
  foreign key (organization_id, lead_id) references lead_scores on delete cascade
);
comment on table lead_feedback is 'What was said of leads. In force is the newest by (told_at, id).';
comment on column lead_feedback.outcome is 'Converted or lost; null takes back what was said.';
comment on column lead_feedback.told_at is 'The time of the fact, which may come in late.';
comment on column lead_feedback.outcome_id is 'The message whose deal was won or lost.';
create index lead_feedback_in_force on lead_feedback (organization_id, lead_id, told_at desc, id desc);
create index lead_feedback_since on lead_feedback (organization_id, id);
-- The same word from the same source is one row, however often it is sent. (Deals have their outcome's row to compare with.)
create unique index lead_feedback_said on lead_feedback (organization_id, lead_id, told_at, source, outcome) nulls not distinct where source <> 'deal';

create table lead_models (
  id uuid primary key default gen_random_uuid(),
  organization_id text not null,
  version text not null check (version ~ '^[0-9]{1,6}\.[0-9]{1,6}$'),
  made_at timestamptz not null default now(),
  estimator text not null check (estimator in ('logistic', 'trees')),
  artifact bytea not null,
  artifact_sha256 text not null generated always as (encode(sha256(artifact), 'hex')) stored,
  data_sha256 text not null check (data_sha256 ~ '^[0-9a-f]{64}$'),
  options_sha256 text not null check (options_sha256 ~ '^[0-9a-f]{64}$'),
  rows int not null check (rows > 0),
  feedback_through bigint not null,
  metrics jsonb not null,
  card jsonb not null,
  run_id text,
  unique (organization_id, version),
  unique (organization_id, data_sha256, options_sha256)
);
comment on column lead_models.artifact is 'The model as a document of names and numbers: reading it runs nothing.';
comment on column lead_models.options_sha256 is 'Hash of how it was made: code and estimators'' options. The same data made the same way is the same version.';
comment on column lead_models.feedback_through is 'The newest lead_feedback.id that it knew.';
comment on column lead_models.card is 'Its fields, warnings and options.';

create table lead_model_members (
  model_id uuid not null references lead_models on delete cascade,
  lead_id text not null,
  primary key (model_id, lead_id)
);
comment on table lead_model_members is 'The leads that a model learnt from; erased ones stand under their pseudonyms.';
create index lead_model_members_by_lead on lead_model_members (lead_id);

create table lead_decisions (
  id bigint generated always as identity primary key,
  organization_id text not null,
  model_id uuid references lead_models,
  action text not null check (action in ('deploy', 'keep', 'insufficient', 'roll_back')),
  numbers jsonb not null default '{}' check (jsonb_typeof(numbers) = 'object'),
  reason text not null,
  decided_by text not null,
  decided_at timestamptz not null default now(),
  check (model_id is not null or action <> 'deploy')
);
comment on table lead_decisions is 'Deployed is the model of the newest row whose action is deploy or roll_back; null is the prior.';
create index lead_decisions_by_organization on lead_decisions (organization_id, id desc);
create index lead_decisions_deployed on lead_decisions (organization_id, id desc) where action in ('deploy', 'roll_back');

-- Writes what is said of leads (arrays of one length; an outcome of null takes back, a time of null is now). Leads that were never scored are not
-- known. `heard`: it says something else than what was in force at that time. All words are kept, for a late one may come between; but of a list
-- without times, which may be read any number of times, only what is heard.
create function tell_leads(organization text, ids text[], outcomes boolean[], told timestamptz[], via text, teller text)
returns table (place bigint, known boolean, heard boolean) language plpgsql as $$
#variable_conflict use_column
begin
  -- Whoever speaks of the same lead waits here, and then sees what was said.
  perform from lead_scores s where s.organization_id = organization and s.lead_id = any (ids) order by s.lead_id for no key update;
  return query
  with said as materialized (
    select u.place, u.lead_id, u.outcome, coalesce(u.told_at, now()) as told_at, u.told_at is null and via in ('file', 'import') as undated, exists (
      select from lead_scores s where s.organization_id = organization and s.lead_id = u.lead_id) as known
    from unnest(ids, outcomes, told) with ordinality as u (lead_id, outcome, told_at, place)
  ),
  in_order as (
    select d.*, lag(d.outcome) over just_before as before, lag(d.told_at) over just_before as before_at
    from said d where d.known
    window just_before as (partition by d.lead_id order by d.told_at, d.place)
  ),
  judged as materialized (
    select o.*, o.outcome is distinct from (case when e.told_at is null or o.before_at >= e.told_at then o.before else e.outcome end) as heard
    from in_order o
    left join lateral (
      select f.outcome, f.told_at from lead_feedback f
      where f.organization_id = organization and f.lead_id = o.lead_id and f.told_at <= o.told_at
      order by f.told_at desc, f.id desc limit 1
    ) e on true
  ),
  written as (
    insert into lead_feedback (organization_id, lead_id, outcome, told_at, source, told_by)
    select organization, j.lead_id, j.outcome, j.told_at, via, teller
    from judged j where j.heard or not j.undated
    order by j.place
    on conflict do nothing
  )
  select d.place, d.known, coalesce(j.heard, false)
  from said d left join judged j on j.place = d.place
  order by d.place;
end
$$;

-- The newest lead_feedback.id that the newest training knew, or the newest attempt that made no version; 0 before any.
create function lead_news_since(organization text) returns bigint language sql stable as $$
  select greatest(
    (select max(m.feedback_through) from lead_models m where m.organization_id = organization),
    (select (d.numbers ->> 'feedback_through')::bigint from lead_decisions d
     where d.organization_id = organization and d.model_id is null and d.action = 'insufficient' order by d.id desc limit 1),
    0)
$$;

-- Of how many leads the known outcome is news to who knew the feedback up to `through`.
create function count_lead_news(organization text, through bigint) returns int language sql stable as $$
  select count(*)::int
  from (select distinct f.lead_id from lead_feedback f where f.organization_id = organization and f.id > through) n
  join lead_scores s on s.organization_id = organization and s.lead_id = n.lead_id and s.actual_outcome is not null
  left join lateral (
    select f.outcome from lead_feedback f
    where f.organization_id = organization and f.lead_id = n.lead_id and f.id <= through
    order by f.told_at desc, f.id desc limit 1
  ) k on true
  where s.actual_outcome is distinct from k.outcome
$$;

create function lead_feedback_in_force() returns trigger language plpgsql as $$
begin
  perform from lead_scores s
  where (s.organization_id, s.lead_id) in (select a.organization_id, a.lead_id from arrived a)
  order by s.organization_id, s.lead_id for no key update;
  update lead_scores s set actual_outcome = f.outcome
  from (select distinct organization_id, lead_id from arrived) a
  cross join lateral (
    select g.outcome from lead_feedback g
    where g.organization_id = a.organization_id and g.lead_id = a.lead_id
    order by g.told_at desc, g.id desc limit 1
  ) f
  where s.organization_id = a.organization_id and s.lead_id = a.lead_id and s.actual_outcome is distinct from f.outcome;
  return null;
end
$$;
create trigger after_insert_in_force after insert on lead_feedback referencing new table as arrived
  for each statement execute function lead_feedback_in_force();

-- A won or lost deal says what became of the lead, if it was scored; a deal that neither stands any more takes it back. Deals speak in the order in
-- which they are recorded: a correction with an earlier time replaces what the deal said before.
create function lead_feedback_of_deal() returns trigger language plpgsql as $$
declare
  standing record;
  last record;
  at timestamptz;
begin
  perform from lead_scores s where s.organization_id = new.organization_id and s.lead_id = new.lead_id for no key update;
  if not found then
    return null;
  end if;
  select o.deal_closed as converted, case when o.deal_closed then o.deal_closed_at else o.deal_lost_at end as at, o.id into standing
  from outcome_labels o
  where o.organization_id = new.organization_id and o.lead_id = new.lead_id and (o.deal_closed or o.deal_lost)
  order by o.deal_closed desc, 2 desc nulls last, o.id limit 1;
  select f.outcome, f.told_at into last
  from lead_feedback f
  where f.organization_id = new.organization_id and f.lead_id = new.lead_id and f.source = 'deal'
  order by f.told_at desc, f.id desc limit 1;
  if standing.converted is not distinct from last.outcome then
    return null;
  end if;
  at := case when standing.converted is null then last.told_at else greatest(coalesce(standing.at, now()), last.told_at) end;
  insert into lead_feedback (organization_id, lead_id, outcome, told_at, source, outcome_id)
  values (new.organization_id, new.lead_id, standing.converted, at, 'deal', coalesce(standing.id, new.id));
  return null;
end
$$;
create trigger after_update_deal after update on outcome_labels for each row
  when ((old.deal_closed, old.deal_lost) is distinct from (new.deal_closed, new.deal_lost))
  execute function lead_feedback_of_deal();

-- One row a lead whose outcome is known, with the features of one of its scorings from before anybody told: each has the same odds, by hash,
-- since the first knows nothing and the last knows too much. Where there is none, features of later stand for it, marked `with_outcome`.
create view lead_training_rows with (security_invoker = true) as
  select s.organization_id, s.lead_id, c.features, s.actual_outcome as converted, c.scored_at, w.told_at, c.late as with_outcome,
    w.id as feedback_id, md5(c.features::text) as row_group
  from lead_scores s
  cross join lateral (
    select f.id, f.told_at from lead_feedback f
    where f.organization_id = s.organization_id and f.lead_id = s.lead_id
    order by f.told_at desc, f.id desc limit 1
  ) w
  cross join lateral (
    select min(f.told_at) as told_at from lead_feedback f
    where f.organization_id = s.organization_id and f.lead_id = s.lead_id and f.outcome is not null
  ) first
  cross join lateral (
    select g.features, g.scored_at, l.late
    from lead_scorings g
    cross join lateral (select g.with_outcome or g.scored_at > first.told_at as late) l
    where g.organization_id = s.organization_id and g.lead_id = s.lead_id
    order by l.late, case when l.late then g.scored_at end, md5(g.id::text || ':' || g.lead_id), g.id
    limit 1
  ) c
  where s.actual_outcome is not null;
comment on view lead_training_rows is 'What lead scoring learns from, one row a lead with a known outcome.';

-- Nothing about an erased lead is stored again (0015); what else names a lead hangs on its row.
create function lead_scores_refuse_erased() returns trigger language plpgsql as $$
begin
  if exists (select from erased_leads) then
    perform refuse_erased(array_agg(organization_id), array_agg(lead_id), null, null) from arrived;
  end if;
  return null;
end
$$;
create trigger before_insert_share_erasure before insert on lead_scores for each statement execute function share_erasure();
create trigger after_insert_erased after insert on lead_scores referencing new table as arrived
  for each statement execute function lead_scores_refuse_erased();

do $$
declare
  t text;
begin
  foreach t in array array['lead_scores', 'lead_scorings', 'lead_feedback', 'lead_models', 'lead_model_members', 'lead_decisions'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy service on %I to flywheel_service using (true) with check (true)', t);
    execute format('create policy member on %I for select to flywheel_member using (%s)', t, case t
      when 'lead_model_members' then 'exists (select from lead_models m where m.id = model_id and m.organization_id = current_setting(''flywheel.organization_id'', true))'
      else 'organization_id = current_setting(''flywheel.organization_id'', true)' end);
    execute format('grant select on %I to flywheel_member', t);
  end loop;
end
$$;
grant select on lead_training_rows to flywheel_member;
revoke update, delete on lead_scorings, lead_feedback, lead_decisions from flywheel_service;

-- migrate:down
drop trigger after_update_deal on outcome_labels;
drop view lead_training_rows;
drop function count_lead_news(text, bigint);
drop function lead_news_since(text);
drop function tell_leads(text, text[], boolean[], timestamptz[], text, text);
drop table lead_decisions;
drop table lead_model_members;
drop table lead_models;
drop table lead_feedback;
drop table lead_scorings;
drop table lead_scores;
drop function lead_scores_refuse_erased();
drop function lead_feedback_of_deal();
drop function lead_feedback_in_force();
