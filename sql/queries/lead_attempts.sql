-- Organizations with enough leads newly told of since their newest training, or since the newest attempt that made none. What was said before, said
-- again, is no news.
with recursive told (organization_id) as (
  (select organization_id from lead_feedback order by organization_id limit 1)
  union all
  select (select f.organization_id from lead_feedback f where f.organization_id > t.organization_id order by f.organization_id limit 1)
  from told t where t.organization_id is not null
)
select o.organization_id, new.leads, newest.id as through
from told o
cross join lateral (select lead_news_since(o.organization_id) as through) known
cross join lateral (
  select f.id from lead_feedback f where f.organization_id = o.organization_id order by f.id desc limit 1
) newest
cross join lateral (
  select case when newest.id > known.through then count_lead_news(o.organization_id, known.through) else 0 end as leads
) new
where o.organization_id is not null and new.leads >= %(enough)s
order by o.organization_id
