-- Bookings that nobody called off and nobody reported on since, each as its newest booking says that tells the time. Meetings are the same by
-- organisation, meeting_id and outcome, as in outcome_fold(); reports that found no outcome speak for all meetings of that id.
with report as (
  select e.organization_id, e.outcome_id, e.named, e.event_type, e.event_key, e.occurred_at, e.refs, e.mentions,
    coalesce(e.facts ->> 'meeting_id', '') as meeting_id,
    e.facts ->> 'meeting_at' as meeting_at, e.facts ->> 'meeting_ends_at' as meeting_ends_at
  from webhook_events e
  where e.event_type in ('meeting_booked', 'meeting_cancelled', 'meeting_completed', 'meeting_no_show')
),
standing as (
  select r.*,
    max(r.occurred_at) filter (where r.event_type = 'meeting_booked') over mine as booked_at,
    bool_or(r.named and r.event_type = 'meeting_booked') over mine as names_outcome,
    case
      when r.outcome_id is null then max(r.occurred_at) filter (where r.event_type <> 'meeting_booked') over anybodys
      when r.meeting_id = '' then max(r.occurred_at) filter (where r.event_type <> 'meeting_booked') over mine
      else greatest(
        max(r.occurred_at) filter (where r.event_type <> 'meeting_booked') over mine,
        max(r.occurred_at) filter (where r.event_type <> 'meeting_booked' and r.outcome_id is null) over anybodys)
    end as reported_at
  from report r
  where r.meeting_id <> '' or r.outcome_id is not null
  window mine as (partition by r.organization_id, r.meeting_id, r.outcome_id), anybodys as (partition by r.organization_id, r.meeting_id)
)
select * from (
  select distinct on (s.organization_id, s.meeting_id, s.outcome_id)
    s.organization_id, s.outcome_id, s.names_outcome, s.refs, s.mentions, nullif(s.meeting_id, '') as meeting_id,
    s.meeting_at, s.meeting_ends_at, s.booked_at
  from standing s
  where s.event_type = 'meeting_booked' and (s.meeting_at is not null or s.meeting_ends_at is not null)
    and (s.reported_at is null or s.reported_at < s.booked_at)
  order by s.organization_id, s.meeting_id, s.outcome_id, s.occurred_at desc, s.event_key desc
) newest
where newest.meeting_ends_at is not null and (newest.refs is not null or newest.outcome_id is not null)
