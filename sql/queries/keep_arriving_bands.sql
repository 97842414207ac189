insert into message_bands (week, text_key, bands)
select week, text_key, bands from arriving_bands
on conflict do nothing
