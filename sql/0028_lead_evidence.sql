-- migrate:up
-- What a decision on a version rests on: of each lead that it learnt from, the score that it would have got from a model that saw neither it
-- nor its like.

alter table lead_model_members
  add column out_of_fold double precision check (out_of_fold between 0 and 1),
  add column row_group text;
comment on column lead_model_members.out_of_fold is 'The calibrated score by models that learnt from neither this lead nor one with the same features.';
comment on column lead_model_members.row_group is 'Leads with the same features share it: to judge a version by such a one would be to judge it by what it had seen.';

-- The newest scorings of a version, to compare with what it learnt from.
create index lead_scorings_by_version on lead_scorings (organization_id, model_version, id desc);

-- migrate:down
drop index lead_scorings_by_version;
alter table lead_model_members drop column out_of_fold, drop column row_group;
