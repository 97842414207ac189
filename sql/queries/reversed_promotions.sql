-- Models that serve as a scope's control though the last look at their promotion says that they are worse.
select m.scope, m.model_version, d.id as promotion, r.id as decision, r.statistics ->> 'reason' as reason
from experiment_decisions d
join model_registry m on m.id = d.registry_id and m.status = 'deployed' and m.ab_test_group = 'control'
join lateral (select * from experiment_decisions r where r.re_examines = d.id order by r.id desc limit 1) r on true
where m.scope = %(scope)s and d.action = 'promote' and r.verdict = 'roll_back' and d.decided_at >= m.deployed_at - interval '1 minute'
