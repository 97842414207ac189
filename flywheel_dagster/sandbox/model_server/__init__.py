"""A model server with OpenAI's wire format, for development and tests only: it learns in a modest way from the files it is given.

Nothing here is a language model, nothing leaves the machine, and nothing here imports Dagster.
"""
