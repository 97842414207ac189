-- Leads whose outcome is known, by who told it last and by week (Monday, UTC).
select f.source, date_trunc('week', r.told_at at time zone 'UTC')::date as week, count(*) as told,
  count(*) filter (where r.converted) as converted, count(*) filter (where r.with_outcome) as with_outcome
from lead_training_rows r
join lead_feedback f on f.id = r.feedback_id
where r.organization_id = %(organization_id)s
group by 1, 2 order by 2, 1
