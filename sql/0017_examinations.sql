-- migrate:up
-- The examination of a model before it is registered: what it answered to the prompts of a dataset's test side, and what came of that.

create table model_answers (
  trainer text not null,
  model_id text not null,
  prompt_hash text not null check (prompt_hash ~ '^[0-9a-f]{64}$'),
  seed int not null,
  max_tokens int not null check (max_tokens > 0),
  outcome_id uuid not null,
  text text not null,
  refusal text,
  finish_reason text not null,
  prompt_tokens int not null check (prompt_tokens >= 0),
  completion_tokens int not null check (completion_tokens >= 0),
  seconds double precision not null check (seconds >= 0),
  asked_at timestamptz not null default now(),
  primary key (trainer, model_id, prompt_hash, seed, max_tokens)
);
create index model_answers_by_outcome on model_answers (outcome_id);
comment on table model_answers is 'Each answer is kept as it comes, so that no examination pays for it twice, not even one that was killed.';
comment on column model_answers.trainer is 'Who made the model, as in model_registry; "judge": a model that compared two answers.';
comment on column model_answers.prompt_hash is 'SHA-256 of the messages that were asked.';
comment on column model_answers.outcome_id is 'The outcome whose request was asked; the answer is erased with its lead, and with every lead that the model learnt from.';

create table model_examinations (
  id uuid primary key default gen_random_uuid(),
  organization_id text,
  scope text not null generated always as (coalesce(organization_id, 'global')) stored,
  trainer text not null,
  model_id text not null,
  dataset_hash text not null references datasets (hash),
  control_trainer text,
  control_model_id text,
  control_id uuid references model_registry (id) on delete set null,
  criteria_hash text not null check (criteria_hash ~ '^[0-9a-f]{64}$'),
  prompts int not null check (prompts >= 0),
  report jsonb not null,
  passed boolean not null,
  created_at timestamptz not null default now(),
  check ((control_trainer is null) = (control_model_id is null)),
  unique nulls not distinct (scope, trainer, model_id, dataset_hash, control_trainer, control_model_id, criteria_hash)
);
comment on column model_examinations.control_model_id is 'The model it was compared with; null: there was none that could be asked, so with what people had sent.';
comment on column model_examinations.criteria_hash is 'SHA-256 of the criteria''s version, their thresholds, the limits and the judge: the same examination gives the same report.';
comment on column model_examinations.report is 'Each criterion with value, threshold and verdict, and how the reward model fared. Nothing that anybody wrote.';

alter table model_answers enable row level security;
alter table model_examinations enable row level security;
create policy service on model_answers to flywheel_service using (true) with check (true);
create policy service on model_examinations to flywheel_service using (true) with check (true);
create policy member on model_examinations for select to flywheel_member
  using ((organization_id is null or organization_id = current_setting('flywheel.organization_id', true))
    and current_setting('flywheel.organization_id', true) <> '');
grant select on model_examinations to flywheel_member;

-- migrate:down
drop table model_examinations;
drop table model_answers;
