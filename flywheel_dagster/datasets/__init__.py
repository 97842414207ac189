"""Training examples: prompts, split, JSONL files and manifests; nothing about who trains on them."""
