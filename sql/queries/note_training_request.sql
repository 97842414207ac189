-- The request's row: a new one, or the one that stands under its Idempotency-Key (a request without one is always new).
insert into training_requests as r (organization_id, requested_by, subject, idempotency_key, request)
values (%(organization_id)s, %(requested_by)s, %(subject)s, %(idempotency_key)s, %(request)s)
on conflict (subject, idempotency_key) do update set idempotency_key = r.idempotency_key
returning id::text, request, run_id
