# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``thzum``: one module per subcommand, each with ``add_parser(subparsers)``.

A subcommand's parser sets ``run``, a function of the parsed arguments. What it refuses it raises as
ValueError, OSError or RuntimeError; that becomes one line on stderr and exit status 2.
"""

import argparse
import sys
from importlib import import_module

#: Modules of this package that hold a subcommand, in the order of the help text.
SUBCOMMANDS = ("channel", "sweep", "radio")


def build_parser():
    """The parser of ``thzum`` with all its subcommands."""
    parser = argparse.ArgumentParser(
        prog="thzum", description="Terahertz ultra-massive MIMO: simulation and experiments on the command line."
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in SUBCOMMANDS:
        import_module(f".{name}", __name__).add_parser(subparsers)
    return parser


def main(arguments=None):
    """Run ``thzum`` with ``arguments`` (default: the command line); returns the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except (ValueError, OSError, RuntimeError) as error:
        print(f"thzum: {error}", file=sys.stderr)
        return 2
