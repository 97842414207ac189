"""The registry of trained versions; nothing about how they are trained."""
