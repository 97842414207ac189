"""How many examples property tests try: all of them in `make acceptance` (profile `thorough`), fewer in `make test` where each one costs a
walk through the database."""

from hypothesis import settings

THOROUGH = "thorough"

settings.register_profile("quick", deadline=None)
settings.register_profile(THOROUGH, deadline=None)
settings.load_profile("quick")


def examples(most: int, *, quick: int) -> int:
    """As many as the profile in force asks for."""
    return most if settings.get_current_profile_name() == THOROUGH else quick
