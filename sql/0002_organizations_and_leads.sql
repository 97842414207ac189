-- migrate:up
-- Who sends, and to whom. Rows for unknown organisations and leads appear by themselves when an outcome names them (0005).

create table organizations (
  id text primary key check (id <> 'global' and length(id) between 1 and 200),
  name text,
  allows_global_training boolean not null default false,
  training_enabled boolean not null default false,
  deploys_trained boolean not null default false,
  redaction_off boolean not null default false,
  privacy_xid xid8 not null default pg_current_xact_id(),
  link_window_days int not null default 90 check (link_window_days between 1 and 3650),
  created_at timestamptz not null default now()
);
comment on column organizations.allows_global_training is 'Its messages may train the global model.';
comment on column organizations.link_window_days is 'How long after a message an event that names only the lead may still belong to it.';
comment on column organizations.deploys_trained is 'A version that was trained gets its first traffic without anybody deploying it.';
comment on column organizations.training_enabled is 'The weekly schedule trains a model of its own.';

comment on column organizations.privacy_xid is 'The transaction that last changed what is replaced in its messages: redaction_off, name, senders.';

-- Who sends: what is known of them is replaced in examples, as what is known of the lead.
create table senders (
  id bigint generated always as identity primary key,
  organization_id text not null references organizations (id) on delete cascade,
  first_name text,
  last_name text,
  company text,
  email text,
  phone text,
  created_at timestamptz not null default now()
);
create unique index senders_by_person on senders (organization_id, email, first_name, last_name, company, phone) nulls not distinct;

create function organizations_before_update() returns trigger language plpgsql as $$
begin
  if (new.redaction_off, new.name) is distinct from (old.redaction_off, old.name) then
    new.privacy_xid := pg_current_xact_id();
  end if;
  return new;
end
$$;
create trigger before_update before update on organizations for each row execute function organizations_before_update();

create function senders_after_write() returns trigger language plpgsql as $$
begin
  update organizations set privacy_xid = pg_current_xact_id() where id in (old.organization_id, new.organization_id);
  return null;
end
$$;
create trigger after_write after insert or update or delete on senders for each row execute function senders_after_write();

create table leads (
  organization_id text not null,
  lead_id text not null check (length(lead_id) between 1 and 200),
  email text,
  first_name text,
  last_name text,
  company text,
  phone text,
  industry text,
  role text,
  company_size text,
  icp_score double precision check (icp_score between 0 and 1),
  privacy_xid xid8 not null default pg_current_xact_id(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, lead_id)
);
comment on column leads.privacy_xid is 'The transaction that last changed what is replaced in messages to the lead.';
create function leads_before_update() returns trigger language plpgsql as $$
begin
  new.privacy_xid := pg_current_xact_id();
  return new;
end
$$;
create trigger before_update before update on leads for each row
  when ((new.first_name, new.last_name, new.company, new.email, new.phone) is distinct from (old.first_name, old.last_name, old.company, old.email, old.phone))
  execute function leads_before_update();
create index leads_by_email on leads (organization_id, lower(email)) where email is not null;

-- The scopes a model can learn for: global where someone consents, and each organisation that switched its own on.
create view enabled_scopes with (security_invoker = true) as
  select 'global' as scope where exists (select from organizations where allows_global_training)
  union all
  select id from organizations where training_enabled;

-- migrate:down
drop view enabled_scopes;
drop table leads;
drop function leads_before_update();
drop table senders;
drop function senders_after_write();
drop table organizations;
drop function organizations_before_update();
