-- What a scope trained last: the job, the dataset that it learnt from, and whether its examination was passed.
select to_jsonb(j) as job, d.*, p.candidates, p.dropped, e.passed
from scope_trainings t
join fine_tuning_jobs j on j.id = t.job
join datasets d on d.hash = j.dataset_hash
join dataset_publications p on p.dataset_hash = d.hash and p.scope = t.scope
left join model_examinations e on e.id = t.examination
where t.scope = %(scope)s
