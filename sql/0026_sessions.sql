-- migrate:up
-- People who signed in with a key, until they sign out, twelve hours have passed, or the key is revoked.

create table sessions (
  id uuid primary key default gen_random_uuid(),
  key_hash text not null check (key_hash ~ '^[0-9a-f]{64}$'),
  begun_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index sessions_by_end on sessions (expires_at);
comment on column sessions.key_hash is 'SHA-256 of the key that was shown. Whether it is in force is looked up at each request.';

create table session_secret (
  one boolean primary key default true check (one),
  secret bytea not null
);
comment on table session_secret is 'What cookies are signed with.';
insert into session_secret (secret) values (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

alter table sessions enable row level security;
alter table session_secret enable row level security;
create policy service on sessions to flywheel_service using (true) with check (true);
create policy service on session_secret to flywheel_service using (true) with check (true);

-- migrate:down
drop table session_secret;
drop table sessions;
