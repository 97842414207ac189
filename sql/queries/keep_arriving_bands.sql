insert into message_bands (week, text_key, bands, signature)
select week, text_key, bands, signature from arriving_bands
on conflict do nothing
