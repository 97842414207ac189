"""Who is given which model, asking it, and what that cost; nothing about which arm does better, which is in `experiments/`."""
