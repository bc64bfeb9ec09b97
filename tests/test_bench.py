# SPDX-License-Identifier: GPL-3.0-or-later
"""The rendering of the published network that the benchmark compares speed with, and sections of the benchmark."""

import importlib
import json
import sys

import numpy as np
import pytest
import torch

from gnuradio import thzum
from gnuradio.thzum import plots


@pytest.fixture
def published(root, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(root / "bench"), *sys.path])
    import published_network

    return published_network


def test_rendering_has_as_many_weights_as_the_published_network(published):
    network = published.PublishedDenoiser()
    assert sum(weights.numel() for weights in network.parameters()) == published.PUBLISHED_WEIGHTS


def test_rendering_estimates_all_antennas(published):
    estimator = published.PublishedEstimator(n_observations=16, n_antennas=1024)
    assert estimator.estimate(torch.ones(32), iterations=1).shape == (2048,)


@pytest.fixture
def bench(root, monkeypatch):
    """Imports a module of bench/."""
    monkeypatch.setattr(sys, "path", [str(root / "bench"), *sys.path])
    return importlib.import_module


def axes_of_a_new_figure():
    return plots.new_figure(4.0, 3.0).add_subplot()


def test_bounds_section(bench):
    bounds = bench("bounds")
    table = bounds.measure(channels=2)
    rows = [*table["estimators"].values(), *table["bounds"].values()]
    assert all(len(row) == len(table["snrs_db"]) and np.isfinite(row).all() for row in rows)
    for name in ("genie_free", "genie_coherent", "cramer_rao_free", "cramer_rao_coherent"):
        np.testing.assert_allclose(np.diff(table["bounds"][name]), -np.diff(table["snrs_db"]), atol=1e-6)
    assert max(table["bounds"]["genie_coherent"]) <= max(table["bounds"]["genie_free"])
    axes = axes_of_a_new_figure()
    bounds.plot(table, axes)
    assert len(axes.get_lines()) == len(rows)


def test_accuracy_against_time_section(bench):
    accuracy_time = bench("accuracy_time")
    families = ("newtonized_omp, free gains", "fpn_oamp")
    results = accuracy_time.measure(channels=4, rounds=1, families=families)
    points = accuracy_time.settings(thzum.channel.preset(accuracy_time.PRESET).array)
    assert set(families) < set(points)
    for family in families:
        assert [label for label, _, _ in points[family]] == [p["setting"] for p in results["curves"][family]]
        assert all(p["ms"] > 0 and p["batched_ms"] > 0 and p["times_faster"] > 0 for p in results["curves"][family])
    best = results["fastest_at_published_accuracy"]
    assert best["nmse_db"] <= accuracy_time.PUBLISHED_NMSE_DB
    axes = axes_of_a_new_figure()
    accuracy_time.plot(results, axes)
    assert len(axes.get_lines()) == 2 * len(results["curves"]) + 1


def test_fastest_is_the_shortest_of_the_accurate(bench):
    fastest = bench("accuracy_time").fastest
    curves = {"a": [dict(nmse_db=-10.0, ms=1.0), dict(nmse_db=-20.0, ms=3.0)], "b": [dict(nmse_db=-18.0, ms=2.0)]}
    assert fastest(curves, -17.0) == dict(family="b", nmse_db=-18.0, ms=2.0)
    assert fastest(curves, -30.0) is None


def test_cost_section(bench):
    cost = bench("cost")
    labels = ("ls", "newtonized_omp, free gains")
    table = cost.measure(sizes=(1, 4), channels=2, rounds=1, labels=labels)
    assert table["antennas"] == [256, 1024]
    assert all(len(row) == 2 and row[1] > 0 for row in table["ms"].values())
    axes = axes_of_a_new_figure()
    cost.plot(table, axes)
    assert len(axes.get_lines()) == len(labels)


def test_exponent_is_the_slope_at_the_largest_sizes(bench):
    exponent = bench("cost").exponent
    antennas = [256, 512, 1024, 2048, 4096]
    assert exponent(antennas, [9.0, 9.0, 1.0, 2.0, 4.0]) == pytest.approx(1.0)
    assert exponent(antennas, [None, None, 1.0, 8.0, None]) == pytest.approx(3.0)
    assert exponent(antennas, [None] * 4 + [1.0]) is None


def test_latency_section_accounts_for_every_item(bench):
    latency = bench("latency")
    label = "newtonized_omp, free gains"
    results = latency.measure(frames=20, batches=(1, 8), labels=(label,))
    assert set(results) == {"nothing", label}
    for batch in ("batch 1", "batch 8"):
        flow, bare = results[label][batch]["flowgraph"], results[label][batch]["bare_thread"]
        assert 0 < flow["p50_ms"] <= flow["p99_ms"] <= flow["max_ms"]
        assert bare["p50_ms"] < flow["max_ms"]
        assert 0 < results["nothing"][batch]["flowgraph"]["p50_ms"]
    assert results[label]["throughput_per_s"] > 0
    assert label in latency.report(results)


def test_percentiles(bench):
    times = bench("latency").percentiles(np.arange(101) / 1000)
    assert times == pytest.approx(dict(p50_ms=50.0, p99_ms=99.0, max_ms=100.0))


#: Sections that do not stand in a test of their own, and are short in small.
QUICK = (
    "undersampled", "bounds", "state_evolution", "robustness", "accuracy_time", "cost", "precision", "latency",
    "wideband", "tracking", "detection", "llr_quality", "quantised", "prediction", "hybrids", "sync",
    "user_offsets",
)


@pytest.mark.parametrize("name", QUICK)
def test_quick_run_of_a_section(bench, root, tmp_path, monkeypatch, capsys, name):
    program = bench("bench")
    arguments = ["--only", name, "--quick", "--json", tmp_path / "out.json", "--figures", tmp_path / "figures"]
    monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
    program.main()
    section = bench("sections").SECTIONS[name]
    assert section.title in capsys.readouterr().out
    assert json.loads((tmp_path / "out.json").read_text())[name]
    assert bool(list((tmp_path / "figures").iterdir())) == (section.figures is not None)


@pytest.mark.parametrize("arguments", [["--only", "nothing"], ["--readme", "--quick"], ["--only", "cost", "--all"]])
def test_options_that_make_no_sense_are_refused(bench, monkeypatch, arguments):
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    with pytest.raises(SystemExit):
        bench("bench").main()


def test_quantised_section(bench):
    quantised = bench("quantised")
    results = quantised.measure(channels=4, bits=(2,), snrs_db=(10,), names=("newtonized_omp",))
    row = results["newtonized_omp"][2]
    assert row["step"][0] < row["plain"][0] - 2
    assert "2 bits" in quantised.report(results, (10,))
    chips = quantised.averaged(frames=1, bits=(1,), snrs_db=(10,), names=("newtonized_omp",))["newtonized_omp"][1]
    assert chips["step"][0] < chips["plain"][0] - 3
    axes = axes_of_a_new_figure()
    quantised.plot(results["newtonized_omp"], axes, (10,))
    assert len(axes.get_lines()) == 3


def test_wideband_section(bench):
    wideband = bench("wideband")
    results = wideband.measure(counts={1: 1, 4: 1})
    axes = axes_of_a_new_figure()
    wideband.plot(results, axes)
    assert len(axes.get_lines()) == len(wideband.CURVES)
