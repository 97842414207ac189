"""The examination of a model before it is registered: it answers the test side's prompts, and its answers are measured against criteria."""
