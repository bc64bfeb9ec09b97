# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration files in YAML and JSON."""

import json
import re
from pathlib import Path

_YAML = (".yaml", ".yml")
# PyYAML follows YAML 1.1, where 300e9 is text; this is the number of YAML 1.2 and JSON.
_FLOAT = re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$")


def read_document(path):
    """The dictionary in a file ``.yaml``, ``.yml`` or ``.json``.

    Raises:
        ValueError: another suffix, text that does not parse, a key given twice, or something else than a
            dictionary at the top.
        OSError: the file cannot be read.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (*_YAML, ".json"):
        raise ValueError(f"path: expected a file .yaml, .yml or .json, got {str(path)!r}")
    try:
        text = path.read_text(encoding="utf-8")
        document = parse_yaml(text) if suffix in _YAML else json.loads(text, object_pairs_hook=_without_repeats)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected text in UTF-8, got {error}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: expected JSON, got {error}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if not isinstance(document, dict):
        raise ValueError(f"{path}: expected names with values at the top, got {type(document).__name__}")
    return document


def parse_yaml(text):
    """What a YAML text says: plain data only, 300e9 is a number, a key may not be given twice."""
    import yaml

    try:
        return yaml.load(text, Loader=_loader(yaml))
    except yaml.YAMLError as error:
        raise ValueError(f"expected YAML, got {' '.join(str(error).split())}") from None


def _loader(yaml):
    class Loader(yaml.SafeLoader):
        """SafeLoader with the numbers of YAML 1.2."""

        def construct_mapping(self, node, deep=False):
            pairs = [(self.construct_object(key, deep=True), None) for key, _ in node.value]
            _without_repeats(pairs)
            return super().construct_mapping(node, deep)

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
    return Loader


def _without_repeats(pairs):
    """The dictionary of ``pairs``, whose keys must differ."""
    seen = set()
    for key, _ in pairs:
        if isinstance(key, (dict, list)) or key in seen:
            raise ValueError(f"key: expected each key once, got {key!r} again")
        seen.add(key)
    return dict(pairs)
