-- Where a week's bands wait for its end: the same text may come twice.
create temp table arriving_bands (week date, text_key bigint, bands bigint[], signature bit(128)) on commit drop
