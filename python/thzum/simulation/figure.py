# SPDX-License-Identifier: GPL-3.0-or-later
"""The figure of a sweep."""

import math

from .. import plots
from .tasks import task

_MARKERS = "osD^vPX*"
# SNRs up to which each has its tick.
_MOST_TICKS = 12


def figure(results, level=0.95):
    """Figure of merit against SNR, a panel per scenario and a curve with confidence intervals per algorithm.

    Args:
        results: :class:`SweepResults`.
        level: of the confidence intervals.

    Returns:
        a Matplotlib figure; save it by ``savefig``.
    """
    experiment, points = results.experiment, results.points(level)
    count = len(experiment.scenarios)
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    drawn = plots.new_figure(6.0 * columns, 4.6 * rows)
    panels = drawn.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for panel, scenario in zip(panels, experiment.scenarios):
        mine = [point for point in points if point.scenario == scenario.name]
        if task(experiment.task).is_logarithmic:
            mine = [point for point in mine if point.value > 0]  # a curve ends above its first point without errors
        _draw_panel(panel, mine, [choice.label for choice in experiment.algorithms])
        panel.set(title=scenario.name, xlabel="SNR (dB)")
        if len(experiment.snr_db) <= _MOST_TICKS:
            panel.set_xticks(sorted(experiment.snr_db))
    if task(experiment.task).is_logarithmic:
        panels[0].set_yscale("log")
    for panel in panels[::columns]:
        panel.set_ylabel(task(experiment.task).axis)
    for panel in panels[count:]:
        panel.remove()
    drawn.text(0.99, 0.005, f"bars: {100 * level:g} % confidence intervals", ha="right", va="bottom", fontsize=7)
    drawn.tight_layout(rect=(0, 0.02, 1, 1))
    return drawn


def _draw_panel(panel, points, labels):
    for index, label in enumerate(labels):
        curve = sorted((point for point in points if point.algorithm == label), key=lambda point: point.snr_db)
        if not curve:
            continue
        colour, marker = plots.COLOURS[index % len(plots.COLOURS)], _MARKERS[index % len(_MARKERS)]
        x = [point.snr_db for point in curve]
        reach = [[point.value - point.low for point in curve], [point.high - point.value for point in curve]]
        line = "-" if index < len(plots.COLOURS) else "--"
        style = dict(color=colour, marker=marker, linestyle=line, markersize=4, capsize=3, label=label)
        panel.errorbar(x, [point.value for point in curve], yerr=reach, **style)
    panel.grid(alpha=0.3)
    panel.legend(fontsize=8, frameon=False)
