-- The scopes with a running experiment, or with a provisional promotion that may still have to be taken back.
select x.scope from experiments x where x.ended_at is null
union
select x.scope from experiments x join experiment_decisions d on d.experiment_id = x.id
where d.action = 'promote' and d.provisional
  and not exists (select from experiment_decisions r where r.re_examines = d.id and not r.provisional)
order by 1
