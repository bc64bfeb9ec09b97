# SPDX-License-Identifier: GPL-3.0-or-later
"""Pilot plans in files: YAML, JSON, or the metadata of a recording."""

import json
from pathlib import Path

from .recording import plan_from_metadata


def read_plan_entry(path):
    """PilotPlan's arguments in a file, a dictionary as "thzum:plan" of a recording holds them.

    Args:
        path: YAML or JSON file of them, or a recording's metadata ``.sigmf-meta``, which hold them.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not such a file.
    """
    from ..channel.config_file import parse_yaml

    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise type(error)(f"plan: cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"plan: {path} is no text: {error}") from None
    try:
        document = json.loads(text) if path.suffix == ".sigmf-meta" else parse_yaml(text)  # which reads JSON too
    except ValueError as error:
        raise ValueError(f"plan: {path} is neither YAML nor JSON: {error}") from None
    if isinstance(document, dict) and isinstance(document.get("global"), dict):
        document = document["global"].get("thzum:plan")
    if not isinstance(document, dict):
        raise ValueError(f"plan: expected PilotPlan's arguments in {path}, got {type(document).__name__}")
    return document


def load_plan(path):
    """The :class:`~gnuradio.thzum.frame.PilotPlan` of a file, see :func:`read_plan_entry`.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not such a file.
    """
    entry = read_plan_entry(path)
    try:
        return plan_from_metadata(entry)
    except ValueError as error:
        raise ValueError(f"{error} (in {path})") from None
