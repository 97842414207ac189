-- migrate:up
-- Playbooks: sequences of touches of a campaign, and how much more often their leads succeeded than others who stood at the same point. Computed from
-- outcomes by `strategies/sequences/`, replaced whole for a campaign and metric.

create table playbooks (
  id bigint generated always as identity primary key,
  organization_id text not null,
  campaign_id text not null,
  metric text not null check (metric in ('meeting', 'positive_reply', 'deal')),
  level text not null check (level in ('channel_gap_strategy', 'channel_gap', 'strategy')),
  length int not null check (length >= 1),
  steps jsonb not null check (jsonb_array_length(steps) = length),
  leads int not null check (leads >= 1),
  successes int not null check (successes between 0 and leads),
  alone int not null check (alone >= 0),
  rate double precision not null generated always as (successes::double precision / leads) stored,
  expected_rate double precision not null check (expected_rate between 0 and 1),
  shrunken_rate double precision not null check (shrunken_rate between 0 and 1),
  lift double precision,
  lift_low double precision,
  lift_high double precision,
  p_value double precision not null check (p_value between 0 and 1),
  q_value double precision not null check (q_value between 0 and 1),
  supported boolean not null,
  window_days double precision not null,
  as_of timestamptz not null,
  made_at timestamptz not null default now(),
  check (lift between lift_low and lift_high)
);
create index playbooks_by_campaign on playbooks (organization_id, campaign_id, metric);
comment on column playbooks.level is 'What a step says; what it doesn''t say may be anything.';
comment on column playbooks.steps is 'The touches in order: {order, gap, channel, strategy}. The first has no gap; a strategy of null is none that is known.';
comment on column playbooks.leads is 'Those who got it, stood open then, whose window is over, and beside whom others stood at the same point.';
comment on column playbooks.alone is 'Its leads beside whom nobody stood; they are counted in nothing else.';
comment on column playbooks.expected_rate is 'What all leads at the same points achieved, weighted as its own leads are.';
comment on column playbooks.lift is 'rate / expected_rate; the bounds are a 95 % confidence interval. Null where nobody succeeded.';
comment on column playbooks.q_value is 'p_value adjusted for all sequences of the campaign that were looked at (Benjamini and Hochberg).';

alter table playbooks enable row level security;
create policy service on playbooks to flywheel_service using (true) with check (true);
create policy member on playbooks for select to flywheel_member using (organization_id = current_setting('flywheel.organization_id', true));
grant select on playbooks to flywheel_member;

-- migrate:down
drop table playbooks;
