-- migrate:up
-- Three roles. The owner is whoever runs the migrations. flywheel_service does the daily work of the pipeline and of the doors;
-- flywheel_member is a tenant's view, held by row-level security to the organisation named in flywheel.organization_id.
-- Roles belong to the whole server, so they may exist already, and two databases may create them at the same moment.

do $$
declare
  wanted text;
begin
  foreach wanted in array array['flywheel_service', 'flywheel_member'] loop
    if not exists (select from pg_roles where rolname = wanted) then
      begin
        execute format('create role %I nologin nosuperuser nocreatedb nocreaterole', wanted);
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
    if not pg_has_role(current_user, wanted, 'member')
       or (select rolsuper from pg_roles where rolname = current_user) then
      begin
        execute format('grant %I to current_user', wanted);
      exception when unique_violation then null;
      end;
    end if;
  end loop;
  if not pg_has_role('flywheel_service', 'flywheel_member', 'member') then
    grant flywheel_member to flywheel_service;
  end if;
end
$$;

grant usage on schema public to flywheel_service, flywheel_member;
alter default privileges in schema public grant select, insert, update, delete on tables to flywheel_service;
alter default privileges in schema public grant usage, select on sequences to flywheel_service;

-- migrate:down
alter default privileges in schema public revoke all on tables from flywheel_service;
alter default privileges in schema public revoke all on sequences from flywheel_service;
revoke usage on schema public from flywheel_service, flywheel_member;
