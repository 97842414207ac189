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
  split_point double precision not null check (split_point >= 0 and split_point < 1),
  example text,
  rejected text,
  check ((example is null) <> (rejected is null))
);
create index scored_training_rows_by_week on scored_training_rows (week);
create index scored_training_rows_in_order on scored_training_rows (sent_at, outcome_id);
comment on column scored_training_rows.split_point is 'The lead''s place in 0..1, from a hash: below the validation share, all its examples validate.';
comment on column scored_training_rows.example is 'The finished line of the JSONL file.';
comment on column scored_training_rows.rejected is 'Why no example can be made of this outcome.';

create table scored_weeks (
  week date primary key,
  snapshot pg_snapshot not null,
  example_format text not null,
  formula_version int not null,
  rows int not null,
  scored_at timestamptz not null default now()
);
comment on column scored_weeks.snapshot is 'What was visible when the week was scored; a change not visible in it makes the week stale.';

-- The rows that a scope may learn from, each with why it is left out (null: kept so far). Consent, form, sign and quality, in this order.
create function dataset_candidates(scope text, min_quality double precision)
returns table (
  outcome_id uuid, week date, organization_id text, lead_id text, sent_at timestamptz, quality_score double precision, training_label text,
  training_weight double precision, deal_closed boolean, split_point double precision, example text, dropped text
)
language sql stable as $$
  select r.outcome_id, r.week, r.organization_id, r.lead_id, r.sent_at, r.quality_score, r.training_label,
    r.training_weight, r.deal_closed, r.split_point, r.example,
    case
      when scope = 'global' and r.organization_id not in (select o.id from organizations o where o.allows_global_training) then 'organization does not share with the global model'
      when r.rejected is not null then r.rejected
      when r.training_label = 'negative_example' then 'negative example'
      when r.quality_score < min_quality then 'below the quality threshold'
    end
  from scored_training_rows r
  where scope = 'global' or r.organization_id = scope
$$;

-- The candidates that a dataset takes, with their side: those kept so far, down to the last row that fits under the limit (null: all).
create function dataset_taken(
  scope text, min_quality double precision, validation_share double precision,
  last_quality double precision, last_weight double precision, last_sent_at timestamptz, last_id uuid
)
returns table (
  outcome_id uuid, week date, organization_id text, lead_id text, sent_at timestamptz, quality_score double precision, training_label text,
  training_weight double precision, deal_closed boolean, side text, example text
)
language sql stable as $$
  select c.outcome_id, c.week, c.organization_id, c.lead_id, c.sent_at, c.quality_score, c.training_label,
    c.training_weight, c.deal_closed, case when c.split_point < validation_share then 'validation' else 'train' end, c.example
  from dataset_candidates(scope, min_quality) c
  where c.dropped is null
    and (last_quality is null
      or c.quality_score > last_quality
      or (c.quality_score = last_quality and (c.training_weight > last_weight
        or (c.training_weight = last_weight and (c.sent_at, c.outcome_id) <= (last_sent_at, last_id)))))
$$;

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
drop function dataset_taken(text, double precision, double precision, double precision, double precision, timestamptz, uuid);
drop function dataset_candidates(text, double precision);
drop table scored_weeks;
drop table scored_training_rows;
