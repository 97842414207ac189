"""The side door: an HTTP API for agents, sales teams and operators. Who asks is known by key; what is answered are the asker's own rows."""
