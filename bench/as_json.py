# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of a benchmark in a file."""

import json


def save(results, path):
    """Write ``results``, plain numbers in lists and dictionaries, to ``path``; no path, no file."""
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
