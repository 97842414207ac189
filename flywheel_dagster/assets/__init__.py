"""The assets, one file a stage: each reads its inputs, calls a room, and returns what a person wants to see."""
