-- Sorts a scope's rows for preference pairs: a winner had success, a loser was received and refused or met with lasting silence. One reading;
-- rows that are neither are counted by why (null: a winner or a loser).
with candidate as materialized (
  select r.outcome_id, r.week, r.organization_id, r.lead_id, r.sent_at, r.quality_score, r.training_label, r.training_weight, r.deal_closed,
    dataset_side(r.split_point, %(validation_share)s, %(test_share)s) as side, r.text_key, r.tokens,
    r.training_label = 'positive_example' as won,
    -- Same organization, channel, industry, role, and the same four weeks; and the same side, as both stand in one line.
    hashtextextended(concat_ws(e'\x1f', r.organization_id, r.channel, lower(coalesce(r.lead_industry, '')), lower(coalesce(r.lead_role, '')),
      (r.week - date '2018-01-01') / 28, dataset_side(r.split_point, %(validation_share)s, %(test_share)s)), 0) as audience,
    coalesce(
      why_dropped(r, %(scope)s, g.allows_global_training, %(first_week)s::date, %(channels)s::text[], true, %(matured_before)s::timestamptz, 0, %(max_tokens)s),
      case
        when r.training_label = 'neutral' and not r.silent then 'neither won nor lost'
        when not r.delivered then 'never received'
      end) as dropped
  from scored_training_rows r
  join organizations g on g.id = r.organization_id
  where %(scope)s = 'global' or r.organization_id = %(scope)s
),
kept as (
  insert into pair_candidate
  select outcome_id, week, organization_id, lead_id, sent_at, quality_score, training_label, training_weight, deal_closed, side, text_key, tokens,
    won, audience
  from candidate
  where dropped is null
)
select dropped, count(*) from candidate group by 1 order by 2 desc, 1
