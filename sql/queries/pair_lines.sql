-- The finished examples of both messages of each pair, in the order of their lines.
select s.side, w.example as preferred, l.example as rejected
from dataset_selection s
join dataset_selection o on o.side = s.side and o.position = s.position and o.part = 'rejected'
join scored_training_rows w on w.outcome_id = s.outcome_id
join scored_training_rows l on l.outcome_id = o.outcome_id
where s.part = 'preferred'
order by s.side, s.position
