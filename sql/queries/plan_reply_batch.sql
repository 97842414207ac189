insert into reply_batches (id, model, endpoint, prompt_version, requests)
values (%(id)s, %(model)s, %(endpoint)s, %(prompt_version)s, %(requests)s)
