-- Which server this is, and which transactions are visible now; transaction numbers mean nothing on another server.
select (select system_identifier::text from pg_control_system()) as server, pg_current_snapshot()::text as snapshot
