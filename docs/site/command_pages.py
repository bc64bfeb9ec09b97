# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of the commands: the help text of each parser and of its subcommands, from the parsers themselves."""

import argparse
import importlib
import os

os.environ["COLUMNS"] = "100"  # how wide argparse writes

#: Command -> function that makes its parser.
COMMANDS = {"thzum": ("gnuradio.thzum.cli", "build_parser"), "thzum-rx": ("gnuradio.thzum.rx", "build_parser")}


def parsers(parser):
    """The parser and those of all its subcommands, depth first."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from parsers(child)


def write(folder):
    """Writes a page per command and an index; returns the commands."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (module, function) in COMMANDS.items():
        text = f"# {name}\n"
        for parser in parsers(getattr(importlib.import_module(module), function)()):
            title = "" if parser.prog == name else f"\n## {parser.prog}\n"
            text += f"{title}\n```text\n{parser.format_help()}```\n"
        (folder / f"{name}.md").write_text(text)
    listing = "\n".join(COMMANDS)
    (folder / "index.md").write_text(f"# Commands\n\n```{{toctree}}\n:maxdepth: 1\n\n{listing}\n```\n")
    return list(COMMANDS)
