select id, model, prompt_version, requests, status, input_file_id, provider_batch_id, created_at
from reply_batches
where id = %(id)s
