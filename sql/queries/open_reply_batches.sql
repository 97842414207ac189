select id, model, prompt_version, requests, status, input_file_id, provider_batch_id, created_at
from reply_batches
where endpoint = %(endpoint)s and status in ('planned', 'submitted')
order by created_at, id
