-- migrate:up
-- Which weeks stand in which warehouse, and what their files know. A row is there before the first file is, so that whoever erases a
-- lead finds every file that may hold it.

create table warehouse_exports (
  destination text not null,
  table_name text not null,
  schema_version int not null check (schema_version >= 1),
  week date not null check (extract(isodow from week) = 1),
  due boolean not null default true,
  server text,
  snapshot pg_snapshot,
  formula_version int,
  rows int check (rows >= 0),
  bytes bigint check (bytes >= 0),
  exported_at timestamptz,
  primary key (destination, table_name, schema_version, week),
  check (due or snapshot is not null)
);
create index warehouse_exports_by_week on warehouse_exports (week);
comment on column warehouse_exports.destination is 'A folder, or an address without credentials.';
comment on column warehouse_exports.due is 'The week was never exported to its end, or something in it has to go: it must be exported again.';
comment on column warehouse_exports.snapshot is 'What was visible when the week was read; a change not visible in it makes the export stale.';

alter table warehouse_exports enable row level security;
create policy service on warehouse_exports to flywheel_service using (true) with check (true);

-- migrate:down
drop table warehouse_exports;
