# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the figures of a benchmark into the README, between its markers."""

import pathlib
import re
import textwrap

README = pathlib.Path(__file__).resolve().parent.parent / "README.md"

#: NMSE in dB of the published estimator, read off its authors' figure (one network per SNR range).
PUBLISHED_DB = (-10.1, -13.6, -17.0, -20.8, -24.1)


def _table(results, snrs_db):
    lines = [
        "| estimator | " + " | ".join(f"{snr} dB" for snr in snrs_db) + " |",
        "| --- |" + " --- |" * len(snrs_db),
    ]
    for name, row in results["reference"].items():
        lines.append(f"| `{name}` | " + " | ".join(f"{value:.1f}" for value in row) + " |")
    published = " | ".join(f"{value:.1f}" for value in PUBLISHED_DB)
    lines.append(f"| *FPN-OAMP as published (two networks)* | {published} |")
    return "\n".join(lines)


def _speed(results):
    estimate, module = results["estimate"], results["linear_module"]
    text = (
        f"One `fpn_oamp` estimate takes {estimate['mean_iterations']:.1f} network calls on average and is "
        f"{estimate['times_faster']:.0f} times faster than a PyTorch rendering of the published network; "
        f"`newtonized_omp` with free gains is {estimate['newtonized_omp_free_times_faster']:.0f} times faster. The linear "
        f"module is {module['hadamard/identity']['times_faster_than_pytorch']:.0f} times (Hadamard combiner) and "
        f"{module['one_bit/identity']['times_faster_than_pytorch']:.0f} times (any real combiner) faster than the "
        f"published dense matrix pair, each ratio from one run on one thread. The receiver takes "
        f"{results['memory']['receiver_peak_mb']:.0f} MB (the whole demo process, its plots included), the model "
        f"{results['memory']['model_bytes'] / 1e6:.1f} MB."
    )
    return textwrap.fill(text, 120)


def update(results, snrs_db):
    """Replace what stands between ``<!-- figures -->`` and ``<!-- end of figures -->``."""
    text = README.read_text()
    block = f"<!-- figures -->\n{_table(results, snrs_db)}\n\n{_speed(results)}\n<!-- end of figures -->"
    renewed, count = re.subn(r"<!-- figures -->.*?<!-- end of figures -->", lambda _: block, text, flags=re.S)
    if count != 1:
        raise RuntimeError(f"{README}: expected the markers of the figures once, found them {count} times")
    README.write_text(renewed)
