"""Which replies of the corpus say nearly the same: writer A wrote 54 of them in four languages each."""

_FIRST, _SIZE, _LANGUAGES = 215, 54, 4  # a215 to a430: Spanish, French, German, Portuguese, in blocks of the same order


def group_of(identifier: str) -> str:
    """The same name for translations of one another; a reply without any is a group of its own."""
    number = int(identifier[1:])
    if identifier.startswith("a") and _FIRST <= number < _FIRST + _SIZE * _LANGUAGES:
        return f"a{_FIRST + (number - _FIRST) % _SIZE} and its translations"
    return identifier
