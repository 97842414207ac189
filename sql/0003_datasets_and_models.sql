-- migrate:up
-- Datasets named by their content, the jobs that were bought for them, and the versions that came out.

create table datasets (
  hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
  kind text not null default 'chat' check (kind in ('chat', 'preference')),
  example_format text not null,
  formula_version int not null,
  code_version text not null,
  train_examples int not null check (train_examples >= 0),
  validation_examples int not null check (validation_examples >= 0),
  test_examples int not null default 0 check (test_examples >= 0),
  train_lines int not null check (train_lines >= train_examples),
  train_tokens bigint not null check (train_tokens >= 0),
  validation_tokens bigint not null check (validation_tokens >= 0),
  test_tokens bigint not null default 0 check (test_tokens >= 0),
  positive_examples int not null check (positive_examples >= 0),
  deals int not null check (deals >= 0),
  weeks int not null check (weeks >= 0),
  bytes bigint not null check (bytes >= 0),
  created_at timestamptz not null default now(),
  erased_at timestamptz
);
comment on column datasets.hash is 'SHA-256 of the SHA256SUMS file that lists the dataset''s JSONL files; also the name of its folder.';
comment on column datasets.train_lines is 'Lines of the training file: more than its examples where some are repeated by weight.';
comment on column datasets.train_tokens is 'Tokens of the training file (o200k), repetitions included: what one epoch is billed for.';
comment on column datasets.erased_at is 'Its files held a lead that was erased, and are gone; what it was made of stays known.';

-- Which dataset a scope has now: the one published last. Two scopes with the same rows share the dataset and whatever was bought for it.
create table dataset_publications (
  scope text not null,
  dataset_hash text not null references datasets (hash),
  settings jsonb not null,
  candidates int not null check (candidates >= 0),
  dropped jsonb not null default '{}',
  published_at timestamptz not null default clock_timestamp(),
  primary key (scope, dataset_hash)
);
create index dataset_publications_current on dataset_publications (scope, published_at desc);
comment on column dataset_publications.dropped is 'How many candidates were left out, by reason; with the examples they add up to candidates.';

create table dataset_members (
  dataset_hash text not null references datasets (hash) on delete cascade,
  outcome_id uuid not null,
  week date not null,
  side text not null check (side in ('train', 'validation', 'test')),
  part text not null default 'example' check (part in ('example', 'preferred', 'rejected')),
  position int not null check (position >= 0),
  copies int not null default 1 check (copies >= 1),
  tokens int not null check (tokens >= 0),
  group_key bigint not null,
  quality_score double precision not null,
  training_label text not null,
  training_weight double precision not null,
  primary key (dataset_hash, outcome_id)
);
comment on column dataset_members.part is 'What the outcome''s message is in its line: the example, or one of the two messages of a preference pair.';
comment on column dataset_members.position is 'The outcome''s place on its side, from 0, in the order of sending.';
comment on column dataset_members.copies is 'How often its line stands in the file, one beneath the other.';
comment on column dataset_members.group_key is 'Near-duplicates share it; only comparable within a dataset.';
create index dataset_members_by_outcome on dataset_members (outcome_id);

create table fine_tuning_jobs (
  id uuid primary key default gen_random_uuid(),
  dataset_hash text not null references datasets (hash),
  trainer text not null,
  settings jsonb not null,
  settings_hash text not null,
  attempt int not null default 1 check (attempt >= 1),
  status text not null default 'planned' check (status in ('planned', 'submitted', 'running', 'succeeded', 'failed', 'cancelled')),
  training_file_id text,
  validation_file_id text,
  provider_job_id text,
  provider_status text,
  model_id text,
  trained_tokens bigint check (trained_tokens >= 0),
  estimated_usd numeric(12, 4) check (estimated_usd >= 0),
  cost_usd numeric(12, 4) check (cost_usd >= 0),
  loss_curve jsonb not null default '[]',
  error text,
  created_at timestamptz not null default now(),
  submitted_at timestamptz,
  finished_at timestamptz,
  unique (dataset_hash, trainer, settings_hash, attempt)
);
comment on column fine_tuning_jobs.estimated_usd is 'What it was expected to cost before it was bought; null: no price was known.';
comment on column fine_tuning_jobs.loss_curve is 'Points [step, training loss, validation loss], as far as the provider told them.';
create unique index fine_tuning_jobs_by_provider_job on fine_tuning_jobs (trainer, provider_job_id) where provider_job_id is not null;

create table model_registry (
  id uuid primary key default gen_random_uuid(),
  organization_id text check (organization_id <> 'global'),
  scope text not null generated always as (coalesce(organization_id, 'global')) stored,
  model_id text not null,
  model_version text not null,
  base_model text not null,
  base_ends_on date,
  trainer text not null,
  settings_hash text not null default '',
  status text not null default 'ready' check (status in ('training', 'ready', 'deployed', 'archived', 'failed')),
  deployed_at timestamptz,
  traffic_percentage double precision not null default 0 check (traffic_percentage between 0 and 100),
  ab_test_group text check (ab_test_group in ('control', 'variant_a', 'variant_b')),
  dataset_hash text references datasets (hash),
  fine_tuning_job_id text,
  example_format text not null default '1',
  training_examples_count int not null default 0 check (training_examples_count >= 0),
  positive_examples int not null default 0 check (positive_examples >= 0),
  deals_in_training int not null default 0 check (deals_in_training >= 0),
  trained_tokens bigint check (trained_tokens >= 0),
  training_cost_usd numeric(12, 4) check (training_cost_usd >= 0),
  is_base boolean not null default false,
  is_baseline boolean not null default false,
  deprecated_at timestamptz,
  created_at timestamptz not null default now(),
  unique (scope, model_version),
  unique (scope, dataset_hash, trainer, settings_hash),
  constraint versions_are_numbers check (is_base or model_version ~ '^v[0-9]+\.[0-9]+\.[0-9]+$'),
  constraint deployed_models_have_an_arm check ((status = 'deployed') = (ab_test_group is not null)),
  constraint only_deployed_models_have_traffic check (status = 'deployed' or traffic_percentage = 0),
  constraint deprecated_models_serve_nobody check (deprecated_at is null or (status <> 'deployed' and not is_baseline)),
  constraint failed_models_serve_nobody check (status <> 'failed' or (deployed_at is null and not is_baseline))
);
create unique index model_registry_arms on model_registry (scope, ab_test_group) where status = 'deployed';
create unique index model_registry_baseline on model_registry (scope) where is_baseline;
comment on column model_registry.is_base is 'Not trained here: a provider''s plain model, such as one that trained models are compared with. Its version is its name.';
comment on column model_registry.is_baseline is 'What the scope''s models are compared with, and what answers where nothing is deployed.';
comment on column model_registry.deprecated_at is 'Taken out of service for good: nothing deploys it again, a roll-back neither.';
comment on column model_registry.deployed_at is 'When it got its present arm, or had its last one.';
comment on column model_registry.base_ends_on is 'The day on which the base is switched off, and the model with it, as far as it was announced.';

-- migrate:down
drop table model_registry;
drop table fine_tuning_jobs;
drop table dataset_members;
drop table dataset_publications;
drop table datasets;
