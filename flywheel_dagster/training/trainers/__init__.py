"""The trainers, a module or folder each, with `trainer_of(settings)`, and `chat_of(settings, model_id, retries=…)` for the models that came out."""
