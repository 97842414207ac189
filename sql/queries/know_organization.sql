-- An organisation that nobody said anything about yet: every opt-in is off.
insert into organizations (id) values (%(id)s) on conflict (id) do nothing
