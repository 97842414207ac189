"""A model server with OpenAI's, Together's and Azure's wire formats, for development and tests only: it learns modestly from its files.

Nothing here is a language model, nothing leaves the machine, and nothing here imports Dagster.
"""
