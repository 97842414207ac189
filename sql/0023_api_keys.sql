-- migrate:up
-- Who may use the API: keys, how often each organisation asked within the last minute, and what was asked for by POST /training/run.

create table api_keys (
  id uuid primary key default gen_random_uuid(),
  organization_id text references organizations (id),
  role text not null check (role in ('viewer', 'operator', 'admin')),
  key_hash text not null unique check (key_hash ~ '^[0-9a-f]{64}$'),
  name text check (length(name) between 1 and 200),
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  revoked_at timestamptz
);
comment on column api_keys.organization_id is 'Whose rows it reaches; null: all organisations, and the global model.';
comment on column api_keys.key_hash is 'SHA-256 of the key. The key is 256 random bits, so nobody finds it by trying, and a slow hash would add nothing.';
comment on column api_keys.last_used_at is 'Within the hour: it is not written at every request.';

-- The times of the requests that were let in, oldest first. Lost in a crash of the server, which costs a minute of counting.
create unlogged table api_requests (
  subject text primary key check (length(subject) between 1 and 300),
  let_in timestamptz[] not null
);
comment on column api_requests.subject is 'organization:ID, or key:ID where a key is of all organisations.';

-- Count a request of the subject, unless `most` were let in within the last minute: then the seconds until there is room (else null).
-- The row is locked while it is looked at, so however many processes ask, no minute has more.
create function take_request(asking text, most int) returns double precision language plpgsql as $$
declare
  room_at timestamptz;
begin
  insert into api_requests as r values (asking, array[clock_timestamp()])
  on conflict (subject) do update
    set let_in = array(select t from unnest(r.let_in) t where t > clock_timestamp() - interval '1 minute' order by t) || clock_timestamp()
    where (select count(*) from unnest(r.let_in) t where t > clock_timestamp() - interval '1 minute') < most;
  if found then
    return null;
  end if;
  select let_in[cardinality(let_in) - most + 1] + interval '1 minute' into room_at from api_requests where subject = asking;
  return greatest(0, extract(epoch from room_at - clock_timestamp()));
end
$$;

create table training_requests (
  id uuid primary key default gen_random_uuid(),
  organization_id text,
  scope text not null generated always as (coalesce(organization_id, 'global')) stored,
  requested_by text not null,
  subject text not null,
  idempotency_key text check (length(idempotency_key) between 1 and 255),
  request jsonb not null,
  run_id text,
  created_at timestamptz not null default now(),
  unique (subject, idempotency_key)
);
comment on column training_requests.idempotency_key is 'The header of that name: the same one again gives the same run.';
comment on column training_requests.run_id is 'Dagster''s run.';

alter table api_keys enable row level security;
alter table api_requests enable row level security;
alter table training_requests enable row level security;
create policy service on api_keys to flywheel_service using (true) with check (true);
create policy service on api_requests to flywheel_service using (true) with check (true);
create policy service on training_requests to flywheel_service using (true) with check (true);

-- migrate:down
drop table training_requests;
drop function take_request(text, int);
drop table api_requests;
drop table api_keys;
