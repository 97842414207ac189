-- Takes out rows whose example was made before what is replaced in it changed: a setting, a sender, what is known of the lead; or on another server,
-- whose transactions can't be compared with ours.
delete from {rows} k
using scored_weeks s
where s.week = k.week and (
  s.server <> server_id()
  or exists (select from organizations g where g.id = k.organization_id and changed_since(g.privacy_xid, s.snapshot))
  or exists (
    select from leads l
    where l.organization_id = k.organization_id and l.lead_id = k.lead_id and changed_since(l.privacy_xid, s.snapshot)))
