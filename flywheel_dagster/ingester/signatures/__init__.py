"""One module a provider, each deciding whether a request is genuine: `is_genuine(received, connection) -> bool`, in constant time."""
