-- Writes scorings (a JSON array of lead_id, features, conversion_score, risk_category, reasons, with_outcome, scored_at) to the history, and each lead's
-- newest to lead_scores; what was scored later stays there. Scorings that an import brought before are not repeated.
with known as (
  insert into organizations (id)
  select %(organization_id)s where not exists (select from organizations where id = %(organization_id)s)
  on conflict do nothing
),
given as materialized (
  select g.lead_id, g.features, g.conversion_score, g.risk_category, g.reasons, g.with_outcome, coalesce(g.scored_at, now()) as scored_at, e.place
  from jsonb_array_elements(%(scorings)s::jsonb) with ordinality as e (item, place)
  cross join lateral jsonb_to_record(e.item) as g (
    lead_id text, features jsonb, conversion_score double precision, risk_category text, reasons jsonb, with_outcome boolean, scored_at timestamptz)
),
newest as (
  insert into lead_scores (organization_id, lead_id, age, location, industry, email_opens, website_visits, content_downloads, days_since_contact, lead_source,
    attributes, conversion_score, risk_category, model_version, "timestamp")
  select distinct on (g.lead_id) %(organization_id)s, g.lead_id, f.age, f.location, f.industry, f.email_opens, f.website_visits, f.content_downloads,
    f.days_since_contact, f.lead_source, g.features - %(standard)s::text[], g.conversion_score, g.risk_category, %(model_version)s, g.scored_at
  from given g
  cross join lateral jsonb_to_record(g.features) as f (
    age int, location text, industry text, email_opens int, website_visits int, content_downloads int, days_since_contact int, lead_source text)
  order by g.lead_id, g.scored_at desc, g.place desc
  on conflict (organization_id, lead_id) do update set
    age = excluded.age, location = excluded.location, industry = excluded.industry, email_opens = excluded.email_opens,
    website_visits = excluded.website_visits, content_downloads = excluded.content_downloads, days_since_contact = excluded.days_since_contact,
    lead_source = excluded.lead_source, attributes = excluded.attributes, conversion_score = excluded.conversion_score,
    risk_category = excluded.risk_category, model_version = excluded.model_version, "timestamp" = excluded."timestamp"
  where excluded."timestamp" >= lead_scores."timestamp"
),
written as (
  insert into lead_scorings (organization_id, lead_id, scored_at, features, conversion_score, risk_category, model_version, reasons, with_outcome, source)
  select %(organization_id)s, g.lead_id, g.scored_at, g.features, g.conversion_score, g.risk_category, %(model_version)s, g.reasons, g.with_outcome, %(source)s
  from given g
  order by g.place
  on conflict do nothing
  returning 1
)
select now() as scored_at, (select count(*)::int from written) as written
