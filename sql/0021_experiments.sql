-- migrate:up
-- Experiments: which arms a scope had when, who was given which, and what was decided on the evidence.

create table experiments (
  id uuid primary key default gen_random_uuid(),
  organization_id text,
  scope text not null generated always as (coalesce(organization_id, 'global')) stored,
  policy jsonb,
  salt text not null default replace(gen_random_uuid()::text, '-', ''),
  started_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz
);
create unique index experiments_running on experiments (scope) where ended_at is null;
create index experiments_by_scope on experiments (scope, started_at desc);
comment on table experiments is 'A stretch of time in which a scope had a control and at least one variant, and no arm changed its model.';
comment on column experiments.policy is 'The rules it is judged by, fixed with the first look; null before.';
comment on column experiments.salt is 'Mixed into the hash that assigns units to arms, so that experiments are independent of each other.';

-- An epoch is a stretch in which nothing changed; a ramp begins a new one.
create table experiment_arms (
  experiment_id uuid not null references experiments (id),
  epoch int not null check (epoch >= 1),
  arm text not null check (arm in ('control', 'variant_a', 'variant_b')),
  registry_id uuid not null references model_registry (id),
  share double precision not null check (share > 0 and share < 1),
  started_at timestamptz not null default clock_timestamp(),
  primary key (experiment_id, epoch, arm)
);

-- The first time that a unit was given an arm. A ramp may move a unit from the control to a variant; its arm in the analysis stays the first.
create table model_exposures (
  experiment_id uuid not null references experiments (id),
  organization_id text not null,
  unit text not null check (unit ~ '^(lead|campaign):.'),
  arm text not null check (arm in ('control', 'variant_a', 'variant_b')),
  epoch int not null,
  registry_id uuid not null references model_registry (id),
  campaign_id text not null,
  exposed_at timestamptz not null default clock_timestamp(),
  primary key (experiment_id, organization_id, unit, arm)
);
create index model_exposures_by_unit on model_exposures (organization_id, unit);
comment on column model_exposures.unit is 'Who is randomised: lead:<id>, or campaign:<id> where no lead was named.';

-- Nothing is written down of a lead that was erased.
create function exposures_leave_out_erased() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if new.unit like 'lead:%' and exists (select from erased_leads) and exists (
    select from erased_names n
    where n.organization_id = new.organization_id and n.name = (select keyed_hash(k.secret, new.unit) from erasure_key k)) then
    return null;
  end if;
  return new;
end
$$;
create trigger before_insert_share_erasure before insert on model_exposures for each statement execute function share_erasure();
create trigger before_insert_leave_out_erased before insert on model_exposures for each row execute function exposures_leave_out_erased();

create table experiment_decisions (
  id bigint generated always as identity primary key,
  experiment_id uuid not null references experiments (id),
  organization_id text,
  arm text not null check (arm in ('variant_a', 'variant_b')),
  registry_id uuid not null references model_registry (id),
  control_id uuid not null references model_registry (id),
  decided_at timestamptz not null default clock_timestamp(),
  policy text not null,
  verdict text not null check (verdict in ('promote', 'keep', 'roll_back', 'inconclusive')),
  action text not null check (action in ('none', 'ramp', 'promote', 'end_variant', 'roll_back')),
  provisional boolean not null default false,
  re_examines bigint references experiment_decisions (id),
  age_days double precision not null,
  window_from timestamptz,
  window_to timestamptz,
  counts jsonb not null,
  statistics jsonb not null,
  criteria jsonb not null,
  thresholds jsonb not null,
  code_version text not null,
  actor text not null
);
create index experiment_decisions_by_experiment on experiment_decisions (experiment_id, id desc);
comment on column experiment_decisions.provisional is 'A promotion on outcomes that were too young to hold all deals; looked at again until they are old.';
comment on column experiment_decisions.re_examines is 'The promotion that was looked at again.';
comment on column experiment_decisions.age_days is 'How old each unit''s outcomes were made before they counted, in days since its exposure.';
create trigger history_stays before update or delete or truncate on experiment_decisions for each statement execute function history_stays();

-- Keeps the running experiment in step with the scope's arms: opens, ends, or begins an epoch; nothing to do where they are the same.
create function follow_experiment(in_scope text) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  running experiments;
  last_epoch int;
  arms int := (select count(*) from model_registry where scope = in_scope and status = 'deployed');
begin
  select * into running from experiments where scope = in_scope and ended_at is null for no key update;  -- exposures go on meanwhile
  if found and (arms < 2 or exists (
    select from experiment_arms a join model_registry m on m.scope = in_scope and m.status = 'deployed' and m.ab_test_group = a.arm
    where a.experiment_id = running.id and a.registry_id <> m.id)) then
    update experiments set ended_at = clock_timestamp() where id = running.id;
    running := null;
  end if;
  if arms < 2 then
    return;
  end if;
  if running.id is null then
    insert into experiments (organization_id) values (nullif(in_scope, 'global')) returning * into running;
  end if;
  select coalesce(max(epoch), 0) into last_epoch from experiment_arms where experiment_id = running.id;
  if exists (
    (select m.ab_test_group, m.traffic_percentage / 100 from model_registry m where m.scope = in_scope and m.status = 'deployed'
      except select a.arm, a.share from experiment_arms a where a.experiment_id = running.id and a.epoch = last_epoch)
    union all
    (select a.arm, a.share from experiment_arms a where a.experiment_id = running.id and a.epoch = last_epoch
      except select m.ab_test_group, m.traffic_percentage / 100 from model_registry m where m.scope = in_scope and m.status = 'deployed')) then
    insert into experiment_arms (experiment_id, epoch, arm, registry_id, share)
    select running.id, last_epoch + 1, m.ab_test_group, m.id, m.traffic_percentage / 100
    from model_registry m where m.scope = in_scope and m.status = 'deployed';
  end if;
end
$$;

do $$
declare
  t text;
begin
  foreach t in array array['experiments', 'experiment_arms', 'model_exposures', 'experiment_decisions'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy service on %I to flywheel_service using (true) with check (true)', t);
    execute format('grant select on %I to flywheel_member', t);
  end loop;
end
$$;
-- What an experiment rests on isn't written by hand: arms and epochs follow the registry, exposures are only added, decisions only kept.
revoke insert, update, delete on experiments, experiment_arms from flywheel_service;
grant update (policy) on experiments to flywheel_service;
revoke update, delete on model_exposures from flywheel_service;
revoke execute on function follow_experiment(text) from public;
-- With the salt one could choose leads by their arm.
revoke select on experiments from flywheel_member;
grant select (id, organization_id, scope, policy, started_at, ended_at) on experiments to flywheel_member;
create policy member on experiments for select to flywheel_member
  using ((organization_id is null or organization_id = current_setting('flywheel.organization_id', true)) and current_setting('flywheel.organization_id', true) <> '');
create policy member on experiment_arms for select to flywheel_member using (experiment_id in (select id from experiments));
-- Of a global experiment a member sees its own units only, and no decision: these count everybody's.
create policy member on model_exposures for select to flywheel_member using (organization_id = current_setting('flywheel.organization_id', true));
create policy member on experiment_decisions for select to flywheel_member using (organization_id = current_setting('flywheel.organization_id', true));

do $$ begin perform follow_experiment(scope) from (select distinct scope from model_registry where status = 'deployed') serving; end $$;

-- migrate:down
drop function follow_experiment(text);
drop table experiment_decisions;
drop table model_exposures;
drop function exposures_leave_out_erased();
drop table experiment_arms;
drop table experiments;
