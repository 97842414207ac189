"""A market with known truth: organisations, leads, messages and what becomes of them. Makes the demo's history; tests' oracle."""
