-- Which server this is, and which transactions are visible now; transaction numbers mean nothing on another server.
select server_id() as server, pg_current_snapshot()::text as snapshot
