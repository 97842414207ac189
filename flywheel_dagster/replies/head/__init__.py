"""A small linear head on sentence embeddings and the rules' signals: an optional extra that reads replies better than rules alone."""
