-- The scope's last training; its examination stays, where it is the same job still.
insert into scope_trainings as t (scope, job) values (%(scope)s, %(job)s)
on conflict (scope) do update set
  job = excluded.job, examination = case when t.job = excluded.job then t.examination end, changed_at = clock_timestamp()
