-- migrate:up
-- Who may report outcomes: a provider's credentials, bound to one organisation. Members never see them.

create table connections (
  id uuid primary key default gen_random_uuid(),
  organization_id text not null references organizations (id),
  provider text not null check (provider in ('sendgrid', 'sendgrid_inbound', 'hubspot', 'salesforce', 'pipedrive', 'calendly', 'generic')),
  name text,
  secrets jsonb not null default '{}' check (jsonb_typeof(secrets) = 'object'),
  settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index connections_in_force on connections (provider) where revoked_at is null;
comment on column connections.secrets is 'Name → list of values. A keyed signature can only be checked with the key itself, so it stands here in the clear; the service role alone reads it.';
comment on column connections.settings is 'What is peculiar to this account: ids of won stages, names of custom fields, public address.';

alter table connections enable row level security;
create policy service on connections to flywheel_service using (true) with check (true);

-- migrate:down
drop table connections;
