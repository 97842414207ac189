-- The best strategies by framework and tone of each organization, of each metric so many.
select * from (
  select w.*, row_number() over (partition by w.metric order by w.rank, w.sent desc, w.organization_id, w.name) as place
  from winning_strategies w
  where w.keys = '{framework,tone}'
) w
where w.place <= %(limit)s
order by w.organization_id, w.metric, w.rank, w.name
