"""Sequences of touches: which ones of a campaign did better than chance explains (its playbooks). Counted by lead, compared among leads that stood at
the same point."""
