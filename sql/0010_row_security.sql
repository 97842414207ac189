-- migrate:up
-- A member sees the rows of the organisation named in flywheel.organization_id, and global models; unset means no row at all.
-- The service role sees everything: it serves all tenants, and its callers check whom they serve.

do $$
declare
  t text;
  own text;
begin
  foreach t in array array['organizations', 'leads', 'outcome_labels', 'webhook_events', 'model_registry'] loop
    own := case t
      when 'organizations' then 'id = current_setting(''flywheel.organization_id'', true)'
      when 'model_registry' then '(organization_id is null or organization_id = current_setting(''flywheel.organization_id'', true))
        and current_setting(''flywheel.organization_id'', true) <> '''''
      else 'organization_id = current_setting(''flywheel.organization_id'', true)'
    end;
    execute format('alter table %I enable row level security', t);
    execute format('create policy service on %I to flywheel_service using (true) with check (true)', t);
    execute format('create policy member on %I for select to flywheel_member using (%s)', t, own);
    execute format('grant select on %I to flywheel_member', t);
  end loop;
end
$$;
-- Of a global model it sees its own outcomes only, and so no report, which counts everybody's.
alter table reported_performance enable row level security;
create policy service on reported_performance to flywheel_service using (true) with check (true);
create policy member on reported_performance for select to flywheel_member using (exists (
  select from model_registry m where m.id = registry_id and m.organization_id = current_setting('flywheel.organization_id', true)));
grant select on training_ready_outcomes, reported_performance, model_performance, model_registry_with_baseline, active_models, model_leaderboard to flywheel_member;

-- migrate:down
do $$
declare
  t text;
begin
  foreach t in array array['organizations', 'leads', 'outcome_labels', 'webhook_events', 'model_registry'] loop
    execute format('drop policy service on %I', t);
    execute format('drop policy member on %I', t);
    execute format('alter table %I disable row level security', t);
  end loop;
end
$$;
revoke select on all tables in schema public from flywheel_member;
