-- Changes the named columns and keeps the others; the times of submission and end come by themselves.
update reply_batches b
set status = n.status, input_file_id = n.input_file_id, provider_batch_id = n.provider_batch_id, provider_status = n.provider_status, error = n.error,
  submitted_at = coalesce(b.submitted_at, case when n.provider_batch_id is not null then clock_timestamp() end),
  finished_at = coalesce(b.finished_at, case when n.status in ('recorded', 'failed') then clock_timestamp() end)
from jsonb_populate_record((select r from reply_batches r where r.id = %(id)s), %(changes)s) n
where b.id = %(id)s
