-- A notice, once, and a word to whoever listens; a repeated delivery says nothing.
with told as (
  insert into training_notices (webhook_id, event_type, job_id) values (%(webhook_id)s, %(event_type)s, %(job_id)s)
  on conflict do nothing
  returning job_id
)
select pg_notify('training_notices', job_id) from told
