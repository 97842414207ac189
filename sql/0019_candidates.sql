-- migrate:up
-- What each scope trained last, and its examination: the steps after training go by it, whatever the settings and the newest dataset are by then.

create table scope_trainings (
  scope text primary key,
  job uuid not null references fine_tuning_jobs (id),
  examination uuid references model_examinations (id) on delete set null,
  changed_at timestamptz not null default clock_timestamp()
);
comment on column scope_trainings.examination is 'The examination of that job''s model that counts; null until there is one.';

alter table scope_trainings enable row level security;
create policy service on scope_trainings to flywheel_service using (true) with check (true);

-- A version that failed its examination serves nobody, whoever writes, until an examination of its model is passed.
create function failed_models_stay_failed() returns trigger language plpgsql as $$
begin
  if new.status = 'ready' and (
    select e.passed from model_examinations e
    where e.scope = old.scope and e.trainer = new.trainer and e.model_id = new.model_id and e.dataset_hash = new.dataset_hash
    order by e.created_at desc limit 1) then
    return new;
  end if;
  raise exception 'version % of % failed its examination and can''t be deployed', old.model_version, old.scope
    using errcode = 'check_violation', hint = 'train a better one, or examine it again; its report is in model_examinations';
end
$$;
create trigger failed_models_stay_failed before update of status on model_registry
  for each row when (old.status = 'failed' and new.status <> 'failed') execute function failed_models_stay_failed();

-- migrate:down
drop trigger failed_models_stay_failed on model_registry;
drop function failed_models_stay_failed();
drop table scope_trainings;
