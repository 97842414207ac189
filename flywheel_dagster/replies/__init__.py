"""What a reply says. How it reached us is the ingester's matter."""
