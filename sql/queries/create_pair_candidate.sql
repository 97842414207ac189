-- Winners and losers, before they are matched; each audience is the same organization, channel, industry, role and four weeks, and the same side,
-- as both messages stand in one line.
create temp table pair_candidate on commit drop as
select outcome_id, week, organization_id, lead_id, sent_at, quality_score, training_label, training_weight, deal_closed, side, text_key, tokens,
  training_label = 'positive_example' as won,
  hashtextextended(concat_ws(e'\x1f', organization_id, channel, lower(coalesce(lead_industry, '')), lower(coalesce(lead_role, '')),
    (week - date '2018-01-01') / 28, side), 0) as audience
from dataset_candidates(
  %(scope)s, %(validation_share)s, %(test_share)s, %(first_week)s::date, %(channels)s::text[], true, %(matured_before)s::timestamptz,
  0, %(max_tokens)s)
where coalesce(dropped, why_no_pair(training_label, delivered, silent)) is null
