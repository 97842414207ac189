"""What works: strategies tracked, ranked honestly and suggested with known odds; nothing about how models are trained."""
