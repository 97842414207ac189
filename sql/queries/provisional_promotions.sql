-- A scope's promotions that aren't settled yet, with what the last look at each saw.
select d.id, d.experiment_id, d.arm, d.registry_id, d.control_id, d.thresholds, d.window_from, x.ended_at, coalesce(r.counts, d.counts) as counts,
  (select count(distinct a.arm) from experiment_arms a where a.experiment_id = x.id and a.arm <> 'control') as variants
from experiment_decisions d
join experiments x on x.id = d.experiment_id
left join lateral (select counts from experiment_decisions r where r.re_examines = d.id order by r.id desc limit 1) r on true
where x.scope = %(scope)s and x.ended_at is not null and d.action = 'promote' and d.provisional
  and not exists (select from experiment_decisions s where s.re_examines = d.id and not s.provisional)
order by d.id
