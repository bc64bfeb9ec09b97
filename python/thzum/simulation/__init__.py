# SPDX-License-Identifier: GPL-3.0-or-later
"""Monte-Carlo experiments: algorithm x SNR x scenario, over processes and over a Dask cluster.

>>> experiment = Experiment.from_dict({"scenarios": ["thz300_aosa4x256"], "algorithms": ["ls", "fpn_oamp"]})
>>> run(experiment, "results.jsonl", workers=2)             # doctest: +SKIP
>>> SweepResults.load("results.jsonl").array("nmse").shape  # doctest: +SKIP
(1, 2, 5, 1000)
"""

from .experiment import Algorithm, Experiment
from .figure import figure
from .intervals import mean_interval, rate_interval
from .mimo_scenario import MimoScenario
from .results import Point, SweepResults
from .runner import run
from .scenario import Scenario
from .tasks import tasks

__all__ = [
    "Algorithm",
    "Experiment",
    "MimoScenario",
    "Point",
    "Scenario",
    "SweepResults",
    "figure",
    "mean_interval",
    "rate_interval",
    "run",
    "tasks",
]
