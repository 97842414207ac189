-- migrate:up
-- What the weekly partitions hold: each training-ready outcome with its score and its finished example, rewritten week by week.

create table scored_training_rows (
  outcome_id uuid primary key,
  week date not null,
  organization_id text not null,
  lead_id text not null,
  channel text not null,
  sent_at timestamptz not null,
  quality_score double precision not null,
  training_label text not null,
  training_weight double precision not null,
  deal_closed boolean not null,
  example text,
  rejected text,
  check ((example is null) <> (rejected is null))
);
create index scored_training_rows_by_week on scored_training_rows (week);
create index scored_training_rows_by_quality on scored_training_rows (quality_score desc) where example is not null;
comment on column scored_training_rows.example is 'The finished line of the JSONL file.';
comment on column scored_training_rows.rejected is 'Why no example can be made of this outcome.';

create table scored_weeks (
  week date primary key,
  snapshot pg_snapshot not null,
  format_version int not null,
  formula_version int not null,
  rows int not null,
  scored_at timestamptz not null default now()
);
comment on column scored_weeks.snapshot is 'What was visible when the week was scored; a change not visible in it makes the week stale.';

create table simulations (
  name text primary key,
  seed bigint not null,
  parameters jsonb not null,
  anchor timestamptz not null,
  created_at timestamptz not null default now()
);
comment on column simulations.anchor is 'The moment that counts as "now" in this simulated history, so that a run after a crash gives the same bytes.';

-- migrate:down
drop table simulations;
drop table scored_weeks;
drop table scored_training_rows;
