#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""``./run bench``: accuracy, fixed-point properties, speed and memory, as a table and as JSON."""

import argparse
import json
import os
import pathlib
import platform
import sys

import accuracy
import channels
import memory
import readme
import speed
import uplink_channel
from tqdm import tqdm

ROOT = pathlib.Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "tests" / "data" / "aosa1024_reference.npz"


def _print_nmse(title, table):
    print(f"\n{title}\n  {'SNR in dB':12}" + "".join(f"{snr:>8}" for snr in accuracy.SNRS_DB))
    for name, row in table.items():
        print(f"  {name:12}" + "".join(f"{value:8.2f}" for value in row))


def _print_values(title, values, indent="  "):
    print(f"\n{title}" if indent == "  " else f"{indent[2:]}{title}")
    for name, value in values.items():
        if isinstance(value, dict):
            _print_values(str(name), value, indent + "  ")
        elif isinstance(value, list):
            print(f"{indent}{name}: " + " ".join(f"{entry:.2f}" for entry in value))
        else:
            print(f"{indent}{name}: " + (f"{value:.4g}" if isinstance(value, float) else str(value)))


def main():
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the results to FILE")
    parser.add_argument("--reference", default=REFERENCE, help="reference channels (.npz), default: the shipped subset")
    parser.add_argument("--readme", action="store_true", help="also write the figures into README.md")
    parser.add_argument("--only", nargs="+", metavar="SECTION", help="measure these sections only")
    options = parser.parse_args()
    if options.readme and options.only:
        parser.error("--readme: needs every section, not --only some")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sections = {
        "reference": ("NMSE in dB, reference channels, own combiner, common noise", accuracy.reference_table),
        "hadamard": ("NMSE in dB, reference channels, Hadamard combiner, fresh noise per slot", accuracy.hadamard_table),
        "fixed_point": ("Fixed point of fpn_oamp", accuracy.fixed_point),
        "linear_module": ("Linear module, one thread", lambda _: speed.linear_module()),
        "estimate": ("One estimate, one thread", lambda _: speed.estimate()),
        "streaming": ("Flowgraph against the bare object", lambda _: speed.streaming()),
        "memory": ("Memory", lambda _: memory.receiver()),
        "channels": ("Channels of the 1024-antenna preset per second, one thread", lambda _: channels.rates()),
        "uplink": ("Streaming uplink, 4 users x 4 RF chains, Msample/s per stream", lambda _: uplink_channel.measure()),
        "sweep": ("thzum sweep, 5 estimators x 5 SNRs x 1000 channels", lambda _: channels.sweep()),
    }
    if options.only:
        unknown = set(options.only) - set(sections)
        if unknown:
            parser.error(f"--only: expected names among {' '.join(sections)}, got {' '.join(sorted(unknown))}")
        sections = {name: sections[name] for name in options.only}
    results = dict(machine=platform.machine(), reference=pathlib.Path(options.reference).name)
    for key, (title, measure) in tqdm(sections.items(), desc="bench", file=sys.stderr):
        results[key] = measure(options.reference)
        show = _print_nmse if key in ("reference", "hadamard") else _print_values
        show(title, results[key])
    if options.readme:
        readme.update(results, accuracy.SNRS_DB)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1) + "\n")
        print(f"\nwrote {options.json}")


if __name__ == "__main__":
    main()
