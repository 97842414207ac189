copy arriving_bands (week, text_key, bands) from stdin
