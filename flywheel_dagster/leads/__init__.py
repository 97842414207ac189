"""Leads: how likely each is to convert, learnt from what the sales team says of them."""
