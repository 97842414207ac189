"""One module a source, each turning a request's bytes into events and nothing else: `read(received, connection) -> list[OutcomeEvent]`."""
