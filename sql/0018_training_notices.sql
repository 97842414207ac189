-- migrate:up
-- What providers of fine-tuning tell by webhook: that a job has ended. It only wakes who waits; the job itself is asked for how.

create table training_notices (
  webhook_id text primary key check (length(webhook_id) between 1 and 200),
  event_type text not null,
  job_id text not null,
  received_at timestamptz not null default clock_timestamp()
);
create index training_notices_by_job on training_notices (job_id);

alter table training_notices enable row level security;
create policy service on training_notices to flywheel_service using (true) with check (true);

-- migrate:down
drop table training_notices;
