update model_registry set base_ends_on = %(ends_on)s
where trainer = %(trainer)s and base_model = %(base_model)s and base_ends_on is distinct from %(ends_on)s
