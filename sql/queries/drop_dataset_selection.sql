-- What the choice before has left.
drop table if exists pg_temp.dataset_selection
