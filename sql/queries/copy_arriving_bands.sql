copy arriving_bands (week, text_key, bands, signature) from stdin
