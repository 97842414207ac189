"""How a lead scorer learns from a table of leads with known outcomes. Pure functions of values: no database, no clock, no chance."""
