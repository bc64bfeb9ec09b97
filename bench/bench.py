#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""``./run bench``: accuracy, robustness, speed and memory, as tables, as JSON and as figures."""

import argparse
import json
import os
import pathlib
import platform
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything starts its threads

import accuracy  # noqa: E402
import readme  # noqa: E402
from sections import SECTIONS  # noqa: E402
from tqdm import tqdm  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "tests" / "data" / "aosa1024_reference.npz"


def _options():
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the results to FILE")
    parser.add_argument("--figures", metavar="FOLDER", help="also draw the figures of the sections into FOLDER")
    parser.add_argument("--reference", default=REFERENCE, help="reference channels (.npz), default: the shipped subset")
    parser.add_argument("--readme", action="store_true", help="also write the figures into README.md")
    parser.add_argument("--quick", action="store_true", help="small counts that only show that a section runs")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only", nargs="+", metavar="SECTION", help="measure these sections only: " + ", ".join(SECTIONS))
    which.add_argument("--all", action="store_true", help="measure every section, about an hour")
    options = parser.parse_args()
    if options.readme and (options.only or options.quick):
        parser.error("--readme: needs every section in full, not --only some or --quick")
    unknown = set(options.only or ()) - set(SECTIONS)
    if unknown:
        parser.error(f"--only: expected names among {' '.join(SECTIONS)}, got {' '.join(sorted(unknown))}")
    return options


def _chosen(options):
    if options.only:
        return {name: SECTIONS[name] for name in options.only}
    return {name: section for name, section in SECTIONS.items() if section.always or options.all}


def main():
    options = _options()
    folder = pathlib.Path(options.figures) if options.figures else None
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    results = dict(machine=platform.machine(), reference=pathlib.Path(options.reference).name)
    for name, section in tqdm(_chosen(options).items(), desc="bench", file=sys.stderr):
        results[name] = section.measure(options.reference, **(section.quick if options.quick else {}))
        print(f"\n{section.title}\n{section.report(results[name])}", flush=True)
        if folder and section.figures:
            section.figures(results[name], folder)
    if options.readme:
        readme.update(results, accuracy.SNRS_DB)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1) + "\n")
        print(f"\nwrote {options.json}")


if __name__ == "__main__":
    main()
