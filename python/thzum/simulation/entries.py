# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of an experiment as configuration files write them: a name alone, or a dictionary."""

from dataclasses import MISSING, fields

from ..channel.keys import mapping, refuse_unknown


def from_name_or_dict(cls, subject, config, main):
    """An object of the dataclass ``cls``.

    Args:
        subject: what the entry is, for errors.
        config: an object of ``cls``, which is returned; a string, which becomes the attribute ``main``; or a
            dictionary of the attributes.
        main: the attribute that a string stands for.

    Raises:
        ValueError: an unknown key, or ``main`` missing where it has no default.
    """
    if isinstance(config, cls):
        return config
    if isinstance(config, str):
        return cls(**{main: config})
    entries = {entry.name: entry for entry in fields(cls)}
    refuse_unknown(subject, mapping(subject, config), list(entries))
    if main not in config and entries[main].default is MISSING:
        raise ValueError(f"{subject}: expected the key {main!r}, got only {sorted(config)}")
    return cls(**config)
