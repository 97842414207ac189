-- migrate:up
-- Datasets named by their content, the jobs that were bought for them, and the versions that came out.

create table datasets (
  hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
  scope text not null,
  format_version int not null,
  code_version text not null,
  formula_version int not null,
  settings jsonb not null,
  train_examples int not null check (train_examples >= 0),
  validation_examples int not null check (validation_examples >= 0),
  positive_examples int not null,
  deals int not null,
  weeks int not null,
  dropped jsonb not null default '{}',
  path text not null,
  created_at timestamptz not null default now()
);
create index datasets_by_scope on datasets (scope, created_at desc);
comment on column datasets.hash is 'SHA-256 of the SHA256SUMS file that lists the dataset''s JSONL files.';
comment on column datasets.dropped is 'How many candidates were left out, by reason.';

create table dataset_members (
  dataset_hash text not null references datasets (hash) on delete cascade,
  outcome_id uuid not null,
  week date not null,
  side text not null check (side in ('train', 'validation')),
  position int not null check (position >= 0),
  quality_score double precision not null,
  training_label text not null,
  training_weight double precision not null,
  primary key (dataset_hash, outcome_id),
  unique (dataset_hash, side, position)
);
create index dataset_members_by_outcome on dataset_members (outcome_id);

create table fine_tuning_jobs (
  id uuid primary key default gen_random_uuid(),
  dataset_hash text not null references datasets (hash),
  scope text not null,
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
  cost_usd numeric(12, 4) check (cost_usd >= 0),
  error text,
  created_at timestamptz not null default now(),
  submitted_at timestamptz,
  finished_at timestamptz,
  unique (dataset_hash, trainer, settings_hash, attempt)
);
create unique index fine_tuning_jobs_by_provider_job on fine_tuning_jobs (trainer, provider_job_id) where provider_job_id is not null;

create table model_registry (
  id uuid primary key default gen_random_uuid(),
  organization_id text,
  scope text not null generated always as (coalesce(organization_id, 'global')) stored,
  model_id text not null,
  model_version text not null check (model_version ~ '^v[0-9]+\.[0-9]+\.[0-9]+$'),
  base_model text not null,
  trainer text not null,
  settings_hash text not null default '',
  status text not null default 'ready' check (status in ('training', 'ready', 'deployed', 'archived', 'failed')),
  deployed_at timestamptz,
  traffic_percentage double precision not null default 0 check (traffic_percentage between 0 and 100),
  ab_test_group text check (ab_test_group in ('control', 'variant_a', 'variant_b')),
  dataset_hash text references datasets (hash),
  fine_tuning_job_id text,
  format_version int not null default 1,
  training_examples_count int not null default 0 check (training_examples_count >= 0),
  positive_examples int not null default 0 check (positive_examples >= 0),
  deals_in_training int not null default 0 check (deals_in_training >= 0),
  trained_tokens bigint check (trained_tokens >= 0),
  training_cost_usd numeric(12, 4) check (training_cost_usd >= 0),
  created_at timestamptz not null default now(),
  unique (scope, model_version),
  unique (scope, dataset_hash, trainer, settings_hash)
);

-- migrate:down
drop table model_registry;
drop table fine_tuning_jobs;
drop table dataset_members;
drop table datasets;
