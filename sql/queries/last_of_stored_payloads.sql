-- Where the same chunk ends.
select max(id) from (
  select id
  from webhook_events
  where raw is not null and id > %(after)s and received_at >= %(since)s and received_at < %(until)s
    and (%(source)s::text is null or source = %(source)s)
    and (%(organization_id)s::text is null or organization_id = %(organization_id)s)
  order by id
  limit %(limit)s) e
