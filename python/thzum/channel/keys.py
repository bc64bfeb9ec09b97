# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of configuration dictionaries."""

from difflib import get_close_matches


def refuse_unknown(where, given, known):
    """Raise ValueError for a key of ``given`` that is not among ``known``, with the nearest that is."""
    for key in given:
        if key not in known:
            near = get_close_matches(str(key), [str(name) for name in known], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{where}: expected keys among {sorted(known)}, got {key!r}{hint}")


def mapping(where, value):
    """``value`` if it is a dictionary with text keys, or ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"{where}: expected a dictionary of settings, got {value!r}")
    for key in value:
        if not isinstance(key, str):
            raise ValueError(f"{where}: expected names as keys, got {key!r}")
    return value


def one_of(where, value, known):
    """``value`` if it is one of the names ``known``, or ValueError with the nearest."""
    if not isinstance(value, str) or value not in known:
        near = get_close_matches(str(value), list(known), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{where}: expected one of {sorted(known)}, got {value!r}{hint}")
    return value
