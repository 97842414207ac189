"""What a fresh machine needs to run everything with no account anywhere: PostgreSQL, a model server, a simulator."""
