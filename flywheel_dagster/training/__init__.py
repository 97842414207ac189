"""Trainers behind one interface, and the submission that buys each job once."""
