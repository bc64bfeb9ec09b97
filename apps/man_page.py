#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the manual page of a command from its argparse parser, subcommands included, at build time.

usage: man_page.py MODULE OUTPUT; MODULE.build_parser() makes the parser.
"""

import argparse
import importlib
import os
import sys


def roff(text):
    """Plain text as roff that shows it unchanged, on one line."""
    text = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def subcommands(parser):
    """(name, help, parser) of each subcommand."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            yield from ((name, helps.get(name, ""), child) for name, child in action.choices.items())


def synopsis(parser):
    usage = parser.format_usage().removeprefix("usage: ").removeprefix(parser.prog)
    return [f".B {roff(parser.prog)}", roff(usage)]


def options(parser):
    """Each option and positional argument as a tagged paragraph."""
    formatter = argparse.HelpFormatter(parser.prog)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) or action.help == argparse.SUPPRESS:
            continue
        names = formatter._format_action_invocation(action)
        yield from (".TP", f".B {roff(names)}", roff(formatter._expand_help(action) if action.help else ""))


def commands(parser):
    """A subsection for each command that does something by itself, depth first."""
    for _, summary, child in subcommands(parser):
        only_help_and_commands = len(child._actions) == 2 and any(subcommands(child))
        if not only_help_and_commands:
            yield f'.SS "{roff(child.prog)}"'
            yield from synopsis(child)
            yield from (".PP", roff(child.description or summary), *options(child))
        yield from commands(child)


def manual_page(parser):
    """The page as text."""
    lines = [
        f'.TH {parser.prog.upper()} 1 "" gr\\-thzum "User Commands"',
        ".SH NAME",
        f"{roff(parser.prog)} \\- {roff(parser.description).rstrip('.')}",
        ".SH SYNOPSIS",
        *synopsis(parser),
        ".SH OPTIONS",
        *options(parser),
    ]
    if any(subcommands(parser)):
        lines += [".SH COMMANDS", *commands(parser)]
    lines += [
        ".SH EXIT STATUS",
        "0 on success, 2 for arguments, files or settings that are refused, with one line on the standard error.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    module_name, output = sys.argv[1:]
    os.environ["COLUMNS"] = "1000"
    with open(output, "w", encoding="utf-8") as file:
        file.write(manual_page(importlib.import_module(module_name).build_parser()))
