-- Takes out rows whose example was made before what is replaced in it changed: a setting, a sender, what is known of the lead; or on another server,
-- whose transactions can't be compared with ours. By joins: a look-up a row takes six times as long.
with scored as materialized (select week, snapshot, server <> server_id() as elsewhere from scored_weeks)
delete from {rows} d
using (
  select k.outcome_id
  from {rows} k
  join scored s using (week)
  left join organizations g on g.id = k.organization_id
  left join leads l on l.organization_id = k.organization_id and l.lead_id = k.lead_id
  where s.elsewhere or changed_since(g.privacy_xid, s.snapshot) or changed_since(l.privacy_xid, s.snapshot)
) outdated
where d.outcome_id = outdated.outcome_id
