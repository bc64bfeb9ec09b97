#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the frame on the air as the module lays it out.

usage: ./run exec python3 docs/figures/draw_frame.py docs/figures/frame.svg
"""

import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "thzum"
matplotlib.rcParams["svg.fonttype"] = "none"

import matplotlib.pyplot as plt  # noqa: E402

from gnuradio.thzum.frame import PilotPlan  # noqa: E402

COLOURS = {"preamble": "#4c78a8", "noise": "#d9d9d9", "reference": "#f58518", "slot": "#72b7b2", "data": "#54a24b"}
#: A frame short enough for every slot to be seen.
PLAN = dict(n_slots=16, n_noise=32, n_data=192, samples_per_symbol=2)
AIR = dict(preamble_segments=3, reference_interval=4)


def draw(path):
    """Write the picture of a short frame: what users send above, the array's combiner below."""
    plan = PilotPlan("thz300_aosa4x256", **PLAN, air=AIR)
    air = plan.air
    figure, axes = plt.subplots(figsize=(11, 3.2))
    for kind, first, length, entry, _ in air.blocks():
        axes.broken_barh([(first, length)], (1.0, 0.8), color=COLOURS[kind], edgecolor="black", linewidth=0.4)
        name = f"c{entry}" if kind != "data" else "data beams"
        axes.text(first + length / 2, 0.35, name, ha="center", va="center", fontsize=6,
                  rotation=90 if length < 20 else 0)
        if kind == "preamble":
            for part in range(1, 4):
                axes.plot([first + 16 * part] * 2, [1.0, 1.8], color="white", linewidth=0.6)
    for first, _ in air.references():
        axes.broken_barh([(first, plan.n_users)], (1.0, 0.8), color=COLOURS["reference"])
    entries, lengths = air.schedule()
    edge = 0
    for length in lengths:
        axes.plot([edge / 2] * 2, [0.1, 0.6], color="black", linewidth=0.5)
        edge += length
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in COLOURS.values()]
    labels = ["preamble: segments of repetitions", "noise: users silent", "reference: pilots, combiner comes again",
              "pilot slot: all users' sequences", "data"]
    axes.legend(handles, labels, ncol=3, loc="upper center", bbox_to_anchor=(0.5, 1.42), fontsize=8, frameon=False)
    axes.set_yticks([0.35, 1.4], ["combiner", "users"])
    axes.set_xlabel(f"symbols; {air.n_symbols} in this short frame of {plan.n_slots} slots and {plan.n_data} data symbols")
    axes.set_xlim(0, air.n_symbols)
    axes.set_ylim(0, 1.9)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    draw(sys.argv[1])
