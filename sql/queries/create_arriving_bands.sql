-- Where a week's bands wait for its end: the same text may come twice.
create temp table arriving_bands (week date, text_key bigint, bands bigint[]) on commit drop
