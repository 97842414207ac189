-- A new session of a key; those that are over go.
with over as (delete from sessions where expires_at < now())
insert into sessions (key_hash, expires_at) values (%(key_hash)s, now() + make_interval(hours => %(hours)s)) returning id
