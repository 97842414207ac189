-- migrate:up
-- Each model that was asked for a message: what it cost, how long it took, whether it answered. Nothing that anybody wrote is here.

create table model_requests (
  id uuid primary key,
  organization_id text not null,
  scope text not null,
  registry_id uuid references model_registry (id),
  model_id text not null,
  campaign_id text not null,
  unit text,
  arm text check (arm in ('control', 'variant_a', 'variant_b')),
  role text not null check (role in ('assigned', 'fallback', 'ensemble', 'complexity')),
  asked_at timestamptz not null,
  latency_ms double precision not null check (latency_ms >= 0),
  tries int not null check (tries >= 1),
  success boolean not null,
  error text check (error in ('timeout', 'unanswered', 'transient', 'permanent', 'unavailable', 'refused')),
  prompt_tokens int check (prompt_tokens >= 0),
  completion_tokens int check (completion_tokens >= 0),
  cost_usd numeric(16, 8) check (cost_usd >= 0),
  check (success = (error is null)),
  check ((prompt_tokens is null) = (completion_tokens is null))
);
create index model_requests_by_time on model_requests (asked_at);
create index model_requests_by_model on model_requests (model_id, asked_at);
create index model_requests_by_unit on model_requests (organization_id, unit);
comment on column model_requests.id is 'Made by who asks, so that writing it twice changes nothing.';
comment on column model_requests.scope is 'Whose model it is, as in model_registry.';
comment on column model_requests.registry_id is 'Null: a provider''s plain model.';
comment on column model_requests.unit is 'Whom it was for: lead:ID or campaign:ID; null where that can''t be told any more, for the lead was erased.';
comment on column model_requests.arm is 'The unit''s arm, whichever model was asked in the end; null where none was assigned.';
comment on column model_requests.latency_ms is 'All tries, and the pauses between them.';
comment on column model_requests.cost_usd is 'Null: nothing was answered, or nobody knows the price.';

alter table model_requests enable row level security;
create policy service on model_requests to flywheel_service using (true) with check (true);
create policy member on model_requests for select to flywheel_member
  using (organization_id = current_setting('flywheel.organization_id', true));
grant select on model_requests to flywheel_member;

-- Rows are written some time after the request, so a lead may have been erased meanwhile: then the unit is the pseudonym that the lead's
-- outcomes have, and null for another name of theirs. Only the owner may read the names, which are hashed.
create function model_requests_forget_erased() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  hashed uuid;
begin
  if new.unit like 'lead:%' and exists (select from erased_leads) then
    hashed := (select keyed_hash(k.secret, new.unit) from erasure_key k);
    if exists (select from erased_names n where n.name = hashed and n.organization_id = new.organization_id) then
      new.unit := (select 'lead:' || l.pseudonym from erased_leads l where l.organization_id = new.organization_id and l.lead = hashed);
    end if;
  end if;
  return new;
end
$$;
create trigger before_insert_share_erasure before insert on model_requests for each statement execute function share_erasure();
create trigger before_insert_forget_erased before insert on model_requests for each row execute function model_requests_forget_erased();

-- migrate:down
drop table model_requests;
drop function model_requests_forget_erased();
