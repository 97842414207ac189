-- What is replaced in an organization's messages besides its leads' values: its own name, and its senders.
select g.id, g.name, g.redaction_off,
  coalesce(jsonb_agg(jsonb_build_array(s.first_name, s.last_name, s.company, s.email, s.phone) order by s.id) filter (where s.id is not null), '[]') as senders
from organizations g left join senders s on s.organization_id = g.id
where g.id = any (%(ids)s)
group by g.id
