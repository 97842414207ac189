-- migrate:up
-- Which version answers whom: the verbs that change it, what always holds whoever writes, and a history that nobody can rewrite.

create table model_changes (
  id bigint generated always as identity primary key,
  registry_id uuid not null references model_registry (id),
  organization_id text,
  scope text not null generated always as (coalesce(organization_id, 'global')) stored,
  changed_at timestamptz not null default clock_timestamp(),
  action text not null,
  actor text not null,
  reason text,
  model_id text not null,
  status text not null,
  traffic_percentage double precision not null,
  ab_test_group text,
  is_baseline boolean not null,
  deprecated boolean not null
);
create index model_changes_by_scope on model_changes (scope, changed_at);
create index model_changes_by_model on model_changes (registry_id, id desc);
comment on table model_changes is 'What each version was after each change; append-only.';

create function history_stays() returns trigger language plpgsql as $$
begin
  raise exception '% is a history: rows are added, never changed or taken away', tg_table_name using errcode = 'insufficient_privilege';
end
$$;
create trigger history_stays before update or delete or truncate on model_changes for each statement execute function history_stays();

-- Who changes what and why, until the transaction ends. Without it, the history names the database's user.
create function act_as(action text, actor text, reason text) returns void language sql as $$
  select set_config('flywheel.action', coalesce(action, ''), true), set_config('flywheel.actor', coalesce(actor, ''), true),
    set_config('flywheel.reason', coalesce(reason, ''), true);
$$;

create function note_model_change() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into model_changes (registry_id, organization_id, action, actor, reason, model_id, status, traffic_percentage, ab_test_group, is_baseline, deprecated)
  values (
    new.id, new.organization_id,
    coalesce(nullif(current_setting('flywheel.action', true), ''), case when tg_op = 'INSERT' then 'register' else 'change' end),
    coalesce(nullif(current_setting('flywheel.actor', true), ''), session_user),
    nullif(current_setting('flywheel.reason', true), ''),
    new.model_id, new.status, new.traffic_percentage, new.ab_test_group, new.is_baseline, new.deprecated_at is not null);
  return null;
end
$$;
create trigger note_insert after insert on model_registry for each row execute function note_model_change();
create trigger note_update after update on model_registry for each row
  when ((old.status, old.traffic_percentage, old.ab_test_group, old.is_baseline, old.deprecated_at)
    is distinct from (new.status, new.traffic_percentage, new.ab_test_group, new.is_baseline, new.deprecated_at))
  execute function note_model_change();

-- One writer at a time, so that what a transaction found is still so when it commits.
create function lock_deployments() returns void language sql as $$ select pg_advisory_xact_lock(7071, 0); $$;
create function lock_deployments_first() returns trigger language plpgsql as $$
begin
  perform lock_deployments();
  return null;
end
$$;
create trigger lock_first before insert or delete or update of organization_id, status, traffic_percentage, ab_test_group, is_baseline on model_registry
  for each statement execute function lock_deployments_first();

-- A scope that serves has one control, and all of the traffic. Looked at when the transaction commits.
create function arms_add_up() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
  changed text;
  arms int;
  controls int;
  total double precision;
begin
  foreach changed in array array_remove(array[old.scope, nullif(new.scope, old.scope)], null) loop
    select count(*), count(*) filter (where ab_test_group = 'control'), sum(traffic_percentage)
    into arms, controls, total
    from model_registry where scope = changed and status = 'deployed';
    if arms > 0 and (controls <> 1 or abs(total - 100) > 1e-9) then
      raise exception 'scope % would have % control(s) and % %% of the traffic', changed, controls, total
        using errcode = 'check_violation', hint = 'deploy, promote or archive with the functions for it (deploy_model, …), which keep it at one control and 100 %';
    end if;
    perform follow_experiment(changed);
  end loop;
  return null;
end
$$;
create constraint trigger arms_add_up after insert or delete or update of organization_id, status, traffic_percentage, ab_test_group on model_registry
  deferrable initially deferred for each row execute function arms_add_up();

-- What serves an organization now: its own arms, else the global ones, else its own baseline, else the global one.
create function serving_models(organization text) returns setof model_registry language sql stable as $$
  with found as (
    select m.id, case when m.status = 'deployed' then 0 else 2 end + case when m.organization_id is null then 1 else 0 end as place
    from model_registry m
    where m.scope in (organization, 'global') and (m.status = 'deployed' or m.is_baseline)
  )
  select m.* from model_registry m join found f using (id) where f.place = (select min(place) from found) order by m.ab_test_group
$$;

-- The same as it was at a moment of the past.
create function models_live_at(organization text, moment timestamptz)
returns table (registry_id uuid, scope text, model_id text, model_version text, trainer text, ab_test_group text, traffic_percentage double precision, since timestamptz)
language sql stable as $$
  with latest as (
    select distinct on (c.registry_id) c.*
    from model_changes c where c.scope in (organization, 'global') and c.changed_at <= moment
    order by c.registry_id, c.id desc
  ), found as (
    select l.*, case when l.status = 'deployed' then 0 else 2 end + case when l.organization_id is null then 1 else 0 end as place
    from latest l where l.status = 'deployed' or l.is_baseline
  )
  select m.id, m.scope, f.model_id, m.model_version, m.trainer, f.ab_test_group, f.traffic_percentage, f.changed_at
  from found f join model_registry m on m.id = f.registry_id
  where f.place = (select min(place) from found)
  order by f.ab_test_group
$$;

-- The verbs. Each is one transaction's work, refuses with check_violation and a hint, and answers with the model's row.

create function model_of_registry(registry uuid) returns model_registry language plpgsql as $$
declare
  m model_registry;
begin
  perform lock_deployments();
  select * into m from model_registry where id = registry;
  if not found then
    raise exception 'no model has the registry id %', registry using errcode = 'no_data_found', hint = 'see flywheel model list';
  end if;
  return m;
end
$$;

-- Refuses what may not answer anybody: failed, not trained yet, or deprecated.
create function require_fit(m model_registry, refusal text) returns void language plpgsql as $$
begin
  if m.status in ('failed', 'training') or m.deprecated_at is not null then
    raise exception '% of % %: it %', m.model_version, m.scope, refusal,
      case m.status when 'failed' then 'failed its examination' when 'training' then 'is not trained yet' else 'is deprecated' end
      using errcode = 'check_violation', hint = 'choose another version; see flywheel model list';
  end if;
end
$$;

create function retire_model(registry uuid) returns void language sql as $$
  update model_registry set status = 'archived', traffic_percentage = 0, ab_test_group = null where id = registry and status = 'deployed';
$$;

create function serve_model(registry uuid, arm text, traffic double precision) returns void language sql as $$
  update model_registry
  set status = 'deployed', ab_test_group = arm, traffic_percentage = traffic,
    deployed_at = case when status = 'deployed' and ab_test_group = arm then deployed_at else clock_timestamp() end
  where id = registry;
$$;

-- A control takes what the variants leave, or at 100 % ends them. A variant takes its share from the control; where there is none, the
-- scope's baseline becomes it.
create function deploy_model(
  registry uuid, traffic double precision, arm text, actor text default null, reason text default null, action text default 'deploy')
returns model_registry language plpgsql as $$
declare
  m model_registry := model_of_registry(registry);
  control model_registry;
  others double precision;
begin
  perform act_as(action, actor, reason);
  if arm is null or arm not in ('control', 'variant_a', 'variant_b') then
    raise exception 'no arm is called %', coalesce(arm, 'null') using errcode = 'check_violation', hint = 'it is control, variant_a or variant_b';
  end if;
  if not (traffic >= 0.01 and traffic <= 100) then
    raise exception '% %% is no share of the traffic', traffic using errcode = 'check_violation', hint = 'it is at least 0.01 and at most 100';
  end if;
  perform require_fit(m, 'can''t be deployed');
  select * into control from model_registry where scope = m.scope and status = 'deployed' and ab_test_group = 'control';
  select coalesce(sum(traffic_percentage), 0) into others from model_registry
  where scope = m.scope and status = 'deployed' and ab_test_group not in ('control', arm) and id <> m.id;

  if arm = 'control' then
    if traffic = 100 then
      perform retire_model(v.id) from model_registry v where v.scope = m.scope and v.status = 'deployed' and v.id <> m.id;
    elsif abs(traffic + others - 100) > 1e-9 then
      raise exception 'a control of % %% leaves % %% without a model', traffic, 100 - traffic - others
        using errcode = 'check_violation', hint = format('the variants have %s %%: give the control the rest, or 100 to end them', others);
    else
      perform retire_model(control.id) where control.id <> m.id;
    end if;
    perform serve_model(m.id, 'control', traffic);
  else
    if control.id = m.id then
      raise exception '% of % is its control', m.model_version, m.scope
        using errcode = 'check_violation', hint = 'deploy another version as control first';
    end if;
    if control.id is null then
      select * into control from model_registry where scope = m.scope and is_baseline and id <> m.id;
      if not found then
        raise exception 'scope % has no control that % could be compared with', m.scope, m.model_version
          using errcode = 'check_violation', hint = 'set a baseline, or deploy one at 100 % as control';
      end if;
    end if;
    if traffic + others > 99.99 then
      raise exception 'nothing is left for the control: the variants would have % %%', traffic + others
        using errcode = 'check_violation', hint = format('less than %s %% is free', 100 - others);
    end if;
    perform retire_model(v.id) from model_registry v
    where v.scope = m.scope and v.status = 'deployed' and v.ab_test_group = arm and v.id <> m.id;
    perform serve_model(control.id, 'control', 100 - others - traffic);
    perform serve_model(m.id, arm, traffic);
  end if;
  return model_of_registry(m.id);
end
$$;

-- The scope's only model from now on.
create function promote_model(registry uuid, actor text default null, reason text default null) returns model_registry language sql as $$
  select deploy_model(registry, 100, 'control', actor, reason, 'promote');
$$;

-- Out of service: a variant's traffic goes back to the control; the last model of a scope leaves it to the global one.
create function archive_model(registry uuid, actor text default null, reason text default null, action text default 'archive')
returns model_registry language plpgsql as $$
declare
  m model_registry := model_of_registry(registry);
begin
  perform act_as(action, actor, reason);
  if m.status = 'failed' then
    raise exception '% of % has failed and serves nobody', m.model_version, m.scope using errcode = 'check_violation', hint = 'nothing needs to be done';
  elsif m.ab_test_group = 'control' then
    if exists (select from model_registry v where v.scope = m.scope and v.status = 'deployed' and v.id <> m.id) then
      raise exception '% is the control of an experiment of %', m.model_version, m.scope
        using errcode = 'check_violation', hint = 'promote or archive the variants first';
    end if;
    perform retire_model(m.id);
  elsif m.status = 'deployed' then
    perform retire_model(m.id);
    perform serve_model(c.id, 'control', 100 - (
      select coalesce(sum(v.traffic_percentage), 0) from model_registry v where v.scope = m.scope and v.status = 'deployed' and v.ab_test_group <> 'control'))
    from model_registry c where c.scope = m.scope and c.status = 'deployed' and c.ab_test_group = 'control';
  else
    update model_registry set status = 'archived' where id = m.id;
  end if;
  return model_of_registry(m.id);
end
$$;

-- Out of service for good.
create function deprecate_model(registry uuid, actor text default null, reason text default null) returns model_registry language plpgsql as $$
declare
  m model_registry := model_of_registry(registry);
begin
  if m.is_baseline then
    raise exception '% is the baseline of %', m.model_version, m.scope using errcode = 'check_violation', hint = 'set another baseline first';
  end if;
  if m.status <> 'failed' then
    perform archive_model(registry, actor, reason, 'deprecate');
  end if;
  perform act_as('deprecate', actor, reason);
  update model_registry set deprecated_at = coalesce(deprecated_at, clock_timestamp()) where id = registry;
  return model_of_registry(registry);
end
$$;

-- What the scope's models are compared with.
create function set_baseline(registry uuid, actor text default null, reason text default null) returns model_registry language plpgsql as $$
declare
  m model_registry := model_of_registry(registry);
begin
  perform act_as('set_baseline', actor, reason);
  perform require_fit(m, 'is no baseline');
  update model_registry set is_baseline = false where scope = m.scope and is_baseline and id <> registry;
  update model_registry set is_baseline = true where id = registry and not is_baseline;
  return model_of_registry(registry);
end
$$;

-- Back to a version, alone; what it takes the place of isn't come back to by roll_back().
create function roll_back_to(registry uuid, actor text default null, reason text default null) returns model_registry language plpgsql as $$
declare
  m model_registry := model_of_registry(registry);
begin
  perform require_fit(m, 'can''t come back');
  perform act_as('roll_back', actor, reason);
  perform retire_model(v.id) from model_registry v where v.scope = m.scope and v.status = 'deployed' and v.id <> registry;
  perform act_as('restore', actor, reason);
  perform serve_model(registry, 'control', 100);
  return model_of_registry(registry);
end
$$;

-- Back to the control before this one, alone. What was rolled back itself isn't come back to, until somebody deploys it again.
create function roll_back(in_scope text, actor text default null, reason text default null) returns model_registry language plpgsql as $$
declare
  now_serving uuid;
  previous uuid;
begin
  perform lock_deployments();
  select id into now_serving from model_registry where scope = in_scope and status = 'deployed' and ab_test_group = 'control';
  select c.registry_id into previous
  from model_changes c join model_registry m on m.id = c.registry_id
  where c.scope = in_scope and c.status = 'deployed' and c.ab_test_group = 'control' and c.registry_id is distinct from now_serving
    and m.status <> 'failed' and m.deprecated_at is null
    and (
      select l.action from model_changes l
      where l.registry_id = c.registry_id and l.status <> 'deployed' and l.action <> 'set_baseline' order by l.id desc limit 1) is distinct from 'roll_back'
  order by c.id desc
  limit 1;
  if previous is null then
    raise exception 'scope % has no earlier control to go back to', in_scope
      using errcode = 'check_violation', hint = 'deploy another version, or archive this one';
  end if;
  return roll_back_to(previous, actor, reason);
end
$$;

revoke execute on function lock_deployments(), note_model_change(), arms_add_up() from public;
grant execute on function lock_deployments() to flywheel_service;

revoke insert, update, delete on model_changes from flywheel_service;
alter table model_changes enable row level security;
create policy service on model_changes for select to flywheel_service using (true);
-- Reasons say what experiments found, so of the global scope a member sees none.
create policy member on model_changes for select to flywheel_member using (organization_id = current_setting('flywheel.organization_id', true));
grant select on model_changes to flywheel_member;

-- migrate:down
drop function roll_back(text, text, text);
drop function roll_back_to(uuid, text, text);
drop function set_baseline(uuid, text, text);
drop function deprecate_model(uuid, text, text);
drop function archive_model(uuid, text, text, text);
drop function promote_model(uuid, text, text);
drop function deploy_model(uuid, double precision, text, text, text, text);
drop function serve_model(uuid, text, double precision);
drop function retire_model(uuid);
drop function require_fit(model_registry, text);
drop function model_of_registry(uuid);
drop function models_live_at(text, timestamptz);
drop function serving_models(text);
drop trigger arms_add_up on model_registry;
drop function arms_add_up();
drop trigger lock_first on model_registry;
drop function lock_deployments_first();
drop function lock_deployments();
drop trigger note_update on model_registry;
drop trigger note_insert on model_registry;
drop function note_model_change();
drop function act_as(text, text, text);
drop table model_changes;
drop function history_stays();
