# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps: same bytes for any number of workers and after any interruption; intervals; refusals."""

import csv
import fcntl
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from flowgraphs import wait_until

from gnuradio import thzum
from gnuradio.thzum.channel.config_file import parse_yaml
from gnuradio.thzum.cli import main
from gnuradio.thzum.simulation import Experiment, Scenario, SweepResults, figure, mean_interval, run, tasks
from gnuradio.thzum.simulation.cells import Clock, as_text, probe, run_unit, units
from gnuradio.thzum.simulation.cluster import ClusterUnits, WorkerMismatch, cluster
from gnuradio.thzum.simulation.runner import Interrupted
from gnuradio.thzum.simulation.seeding import Purpose, seed_sequence
from gnuradio.thzum.simulation.store import times_path
from gnuradio.thzum.simulation.tasks import task
from gnuradio.thzum.simulation.tasks.base import Task

ARRAY = dict(sub_rows=1, sub_cols=2, rows=4, cols=4, carrier_frequency=300e9, spacing=0.5, gap=4.0)
CHANNEL = {"array": ARRAY, "model": "thz300_aosa4x256"}
SMALL = {
    "scenarios": [
        {"channel": CHANNEL, "name": "hadamard"},
        {"channel": CHANNEL, "name": "one bit", "combiner": "random_one_bit", "noise_model": "common", "n_slots": 6},
    ],
    "algorithms": ["ls", "lmmse", {"algorithm": "oamp", "label": "soft", "options": {"denoiser": "soft_threshold"}}],
    "snr_db": [0, 10],
    "channels": 25,
    "block": 10,
    "training_channels": 60,
}


def changed(**changes):
    return Experiment.from_dict({**SMALL, **changes})


@pytest.fixture(scope="module")
def small():
    return Experiment.from_dict(SMALL)


@pytest.fixture(scope="module")
def finished(small, tmp_path_factory):
    """Results file of the small experiment, computed in this process."""
    path = tmp_path_factory.mktemp("sweep") / "results.jsonl"
    run(small, path, workers=1)
    return path


@pytest.fixture(scope="module")
def two_workers():
    """A Dask cluster of two worker processes."""
    with cluster(2) as client:
        yield client


# What an experiment is


def test_dictionary_round_trip(small, tmp_path):
    plain = json.loads(json.dumps(small.to_dict()))
    assert Experiment.from_dict(plain) == small
    (tmp_path / "e.json").write_text(json.dumps(plain))
    assert Experiment.from_file(tmp_path / "e.json") == small


def test_labels_and_names_have_defaults():
    experiment = Experiment.from_dict(
        {"scenarios": ["thz300_aosa4x256"], "algorithms": ["ls", {"algorithm": "omp", "options": {"joint": False}}]}
    )
    assert [choice.label for choice in experiment.algorithms] == ["ls", "omp:joint=False"]
    assert experiment.scenarios[0].name == "thz300_aosa4x256"
    assert experiment.scenarios[0].undersampling == 0.5


def test_blocks_cover_the_channels(small):
    assert small.blocks() == [10, 10, 5]
    assert len(units(small)) == len(set(units(small))) == 2 * 3 * 2


@pytest.mark.parametrize(
    "changes, text",
    [
        ({"snr": [0]}, "experiment: expected keys among .*got 'snr'.*did you mean 'snr_db'"),
        ({"scenarios": []}, "scenarios: expected at least one"),
        ({"scenarios": "thz300_aosa4x256"}, "scenarios: expected a list"),
        ({"scenarios": ["thz30"]}, "channel: expected one of .*got 'thz30'"),
        ({"scenarios": [CHANNEL]}, "scenario: expected keys among"),
        ({"scenarios": ["thz300_aosa4x256"] * 2}, "scenarios: expected each name once"),
        ({"scenarios": [{"name": "x"}]}, "scenario: expected the key 'channel'"),
        ({"scenarios": [{"channel": CHANNEL, "combiner": "dft"}]}, "combiner: expected one of"),
        ({"scenarios": [{"channel": CHANNEL, "noise_model": "pink"}]}, "noise_model: expected one of"),
        ({"scenarios": [{"channel": CHANNEL, "n_slots": 3, "undersampling": 0.5}]}, "n_slots: expected either"),
        ({"scenarios": [{"channel": CHANNEL, "undersampling": 1.5}]}, "undersampling: expected .*at most 1"),
        ({"scenarios": [{"channel": CHANNEL, "overrides": {"n_paths": 3}}]}, "overrides: expected none"),
        ({"algorithms": ["ls", "ls"]}, "algorithms: expected each label once"),
        ({"algorithms": [{"name": "ls"}]}, "algorithm: expected keys among"),
        ({"algorithms": [{"algorithm": "ls", "options": {"x": object()}}]}, "options: expected plain"),
        ({"snr_db": [0, "ten"]}, "snr_db: expected a number"),
        ({"snr_db": [0, 0.0]}, "snr_db: expected each value once"),
        ({"channels": 0}, "channels: expected an integer of at least 1"),
        ({"channels": 2.5}, "channels: expected an integer"),
        ({"seed": -1}, "seed: expected an integer of at least 0"),
        ({"task": "detect everything"}, "task: expected one of"),
    ],
)
def test_bad_descriptions_are_refused(changes, text):
    with pytest.raises(ValueError, match=text):
        changed(**changes)


@pytest.mark.parametrize(
    "changes, text",
    [
        ({"algorithms": ["lss"]}, "algorithm: expected one of .*got 'lss'"),
        ({"algorithms": [{"algorithm": "ls", "options": {"depth": 3}}]}, "scenario 'hadamard': ls:depth=3: .*depth"),
        ({"algorithms": ["fpn_oamp"]}, "scenario 'hadamard': fpn_oamp: "),
        ({"scenarios": [{"channel": CHANNEL, "n_slots": 17}]}, "n_slots: expected an integer from 1 to 16"),
        ({"scenarios": [{"channel": {**CHANNEL, "users": 2}}]}, "channel.users: expected None in a sweep"),
        ({"scenarios": [{"channel": {**CHANNEL, "normalise": False}}]}, "channel.normalise: expected True"),
        ({"scenarios": [{"channel": {**CHANNEL, "colour": 2}}]}, "got 'colour'"),
        ({"scenarios": [{"channel": "thz300_aosa4x256", "overrides": {"paths": 3}}]}, "did you mean 'n_paths'"),
    ],
)
def test_what_cannot_run_is_refused_before_the_file_is_made(changes, text, tmp_path):
    with pytest.raises(ValueError, match=text):
        run(changed(**changes), tmp_path / "r.jsonl", workers=1)
    assert not list(tmp_path.iterdir())


# What is computed


def run_block(experiment, scenario=0, block=0, snr_db=0.0, size=10):
    bench = task("estimate").bench(experiment, scenario, lambda *a: seed_sequence(experiment.seed, scenario, *a))
    return bench.run(block, size, snr_db, Clock())


@pytest.mark.parametrize("combiner, noise_model", [("hadamard", "per_slot"), ("random_one_bit", "common")])
def test_least_squares_with_a_slot_per_element_has_the_noise_as_its_error(combiner, noise_model):
    # h_hat - h is the antenna noise itself, so the NMSE is noise_var chi^2_{2N} / 2N with ||h||^2 = N.
    scenario = dict(channel=CHANNEL, n_slots=16, combiner=combiner, noise_model=noise_model)
    experiment = changed(scenarios=[scenario], algorithms=["ls"])
    for snr_db in (0.0, 20.0):
        nmse = run_block(experiment, snr_db=snr_db, size=400)["ls"]["nmse"] * 10 ** (snr_db / 10)
        assert abs(nmse.mean() - 1) < 5 / np.sqrt(32 * 400)
        assert abs(nmse.std() - 1 / np.sqrt(32)) < 5 / np.sqrt(32 * 2 * 400)


def test_channels_and_noise_are_those_of_every_algorithm_and_snr():
    # Least squares is linear: its error at noise_var is the projection's plus noise_var times the noise's.
    experiment = changed(algorithms=["ls", {"algorithm": "ls", "label": "again"}])
    found = {snr_db: run_block(experiment, snr_db=snr_db) for snr_db in (0.0, 60.0)}
    np.testing.assert_array_equal(found[0.0]["ls"]["nmse"], found[0.0]["again"]["nmse"])
    scenario = dict(channel=CHANNEL, n_slots=16)
    full = changed(scenarios=[scenario], algorithms=["ls"])
    unit_noise = [run_block(full, snr_db=snr_db)["ls"]["nmse"] * 10 ** (snr_db / 10) for snr_db in (0.0, 10.0)]
    np.testing.assert_allclose(*unit_noise, rtol=1e-4)


def test_blocks_have_channels_and_noise_of_their_own():
    # With a slot per element the error is the noise alone, with few slots and no noise to speak of the channel's.
    for n_slots, snr_db in ((16, 0.0), (4, 80.0)):
        experiment = changed(scenarios=[{"channel": CHANNEL, "n_slots": n_slots}], algorithms=["ls"])
        errors = [run_block(experiment, block=block, snr_db=snr_db)["ls"]["nmse"] for block in (0, 1, 0)]
        np.testing.assert_array_equal(errors[0], errors[2])
        assert not np.isclose(errors[0], errors[1]).any()


@pytest.mark.parametrize("combiner", ["hadamard", "random_one_bit"])
def test_combiner_rows_have_unit_norm_and_two_values(combiner):
    scenario = Scenario("thz300_aosa4x256", combiner=combiner, undersampling=0.3)
    array = scenario.channel_config().build().array
    first, again, other = (
        scenario.build_operator(array, seed_sequence(seed, 0, Purpose.COMBINER)).combiner for seed in (0, 0, 1)
    )
    assert first.shape == (4, round(0.3 * 256), 256)
    np.testing.assert_allclose(np.abs(first), 1 / 16, rtol=1e-6)
    np.testing.assert_array_equal(first, again)
    # Signs agree by chance: half of them, within five standard errors.
    assert abs(np.mean(first.real * other.real > 0) - 0.5) < 5 * 0.5 / np.sqrt(first.size)


def test_a_curve_does_not_depend_on_its_company(finished):
    alone = run_block(changed(algorithms=["lmmse"], snr_db=[10]), snr_db=10.0, block=1)["lmmse"]["nmse"]
    np.testing.assert_array_equal(SweepResults.load(finished).array("nmse")[0, 1, 1, 10:20], alone)


def test_blocks_scenarios_purposes_and_seeds_draw_other_numbers():
    states = {
        tuple(seed_sequence(seed, scenario, purpose, block).generate_state(4))
        for seed in (0, 1)
        for scenario in (0, 1)
        for purpose in Purpose
        for block in (0, 1)
    }
    assert len(states) == 2 * 2 * len(Purpose) * 2


def test_lmmse_learns_from_training_channels():
    learnt, default = (
        run_block(changed(algorithms=["lmmse"], training_channels=count), size=200)["lmmse"]["nmse"].mean()
        for count in (2000, 0)
    )
    assert learnt < default


def test_python_channels_where_there_is_no_twin():
    planar = {**CHANNEL, "wavefront": "planar"}
    facts = task("estimate").check(changed(scenarios=[{"channel": planar, "name": "p"}, SMALL["scenarios"][0]]))
    assert [facts[name]["channels_from"] for name in ("p", "hadamard")] == ["python", "native"]
    experiment = changed(scenarios=[{"channel": planar, "n_slots": 16}], algorithms=["ls"])
    assert abs(run_block(experiment, size=400)["ls"]["nmse"].mean() - 1) < 5 / np.sqrt(32 * 400)


def test_a_preset_takes_overrides():
    scenario = Scenario("thz300_aosa4x256", overrides={"n_paths": 2, "scatterer_distance": (3.0, 4.0)})
    assert scenario.channel_config().build().n_paths == 2
    assert Scenario.from_dict(scenario.to_dict()) == scenario


def test_every_task_keeps_the_contract():
    for name in tasks():
        found = task(name)
        assert isinstance(found, Task) and found.columns and found.axis


# The results file


def test_a_second_run_changes_nothing(small, finished):
    before, seen = finished.read_bytes(), []
    run(small, finished, workers=1, progress=lambda *now: seen.append(now))
    assert finished.read_bytes() == before and seen == [(12, 12, 0)]


@pytest.mark.parametrize("lost", [1, 7, 300, 2000, 6000])
def test_a_cut_file_is_completed_to_the_same_bytes(small, finished, tmp_path, lost):
    path, whole = tmp_path / "r.jsonl", finished.read_bytes()
    path.write_bytes(whole[: max(20, len(whole) - lost)])
    seen = []
    run(small, path, workers=0, progress=lambda *now: seen.append(now))
    assert path.read_bytes() == whole
    assert seen[0][0] < 12 and seen[0][2] > 0 and seen[-1][0] == 12


def test_an_unreadable_last_line_is_computed_again(small, finished, tmp_path):
    path, lines = tmp_path / "r.jsonl", finished.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + b"\0" * 40 + b"\n")
    run(small, path, workers=1)
    assert path.read_bytes() == finished.read_bytes()


def test_finished_units_may_come_in_any_order(small, finished, tmp_path):
    path, lines = tmp_path / "r.jsonl", finished.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], *lines[:0:-1]]))
    run(small, path, workers=1)
    assert path.read_bytes() == finished.read_bytes()


def test_interrupted_sweeps_continue(small, finished, tmp_path):
    path = tmp_path / "r.jsonl"

    def interrupt(done, *_):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stop:
        run(small, path, workers=1, progress=interrupt)
    assert (stop.value.done, stop.value.total) == (5, 12)
    partial = SweepResults.load(path)
    assert partial.done == 5 and np.isnan(partial.array("nmse")).any()
    # Units come scenario by scenario, block by block, SNR by SNR.
    assert [point.channels for point in partial.points()] == [25, 20] * 3
    run(small, path, workers=1)
    assert path.read_bytes() == finished.read_bytes()


@pytest.mark.parametrize(
    "changes, text",
    [
        ({"seed": 3}, "seed: 0 in the file, 3 asked for"),
        ({"channels": 30}, "channels: 25 in the file, 30 asked for"),
        ({"snr_db": [0, 5]}, r"snr_db: \[0.0, 10.0\] in the file"),
        ({"algorithms": ["ls"]}, "algorithms: "),
    ],
)
def test_another_experiment_is_refused(finished, changes, text):
    before = finished.read_bytes()
    with pytest.raises(ValueError, match=text):
        run(changed(**changes), finished, workers=1)
    assert finished.read_bytes() == before


def test_other_software_is_refused(small, finished, tmp_path):
    path = tmp_path / "r.jsonl"
    numbers = re.search(rb'"numbers": "\w{8}', finished.read_bytes()).group()
    path.write_bytes(finished.read_bytes().replace(numbers, b'"numbers": "00000000'))
    with pytest.raises(ValueError, match="other software(.|\n)*probe: .*00000000"):
        run(small, path, workers=1)


@pytest.mark.parametrize("content", [b"notes of mine\n", b'{"format": "else"}\n', b"x", b"\n"])
def test_files_of_others_are_not_touched(small, tmp_path, content):
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="expected a results file of thzum sweep"):
        run(small, path, workers=1)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "damage, text",
    [
        (lambda line: b"gibberish\n", "line 5: expected a record in JSON"),
        (lambda line: line.replace(b'"iterations": [', b'"iterations": [1, ', 1), "line 5: expected a finished unit"),
        (lambda line: line.replace(b'"unit": [0', b'"unit": [7'), "line 5: expected each unit of the experiment"),
        (lambda line: line.replace(b'"soft"', b'"hard"'), "line 5: expected a finished unit"),
    ],
)
def test_damage_in_the_middle_is_refused(small, finished, tmp_path, damage, text):
    path, lines = tmp_path / "r.jsonl", finished.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], damage(lines[4]), *lines[5:]]))
    before = path.read_bytes()
    with pytest.raises(ValueError, match=text):
        run(small, path, workers=1)
    assert path.read_bytes() == before


def test_a_file_in_use_is_refused(small, finished):
    with open(finished, "a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError, match="another sweep"):
            run(small, finished, workers=1)


# Workers


def test_a_scheduler_gives_the_same_bytes(small, finished, two_workers, tmp_path):
    path = tmp_path / "r.jsonl"
    run(small, path, scheduler=two_workers.scheduler.address)
    assert path.read_bytes() == finished.read_bytes()
    workers = {json.loads(line)["worker"] for line in times_path(path).read_text().splitlines()}
    assert workers == set(two_workers.nthreads())


def test_workers_that_compute_other_numbers_are_refused(small, two_workers):
    expected = probe(as_text(small))
    ClusterUnits(two_workers, as_text(small), expected).check_workers()
    remote = ClusterUnits(two_workers, as_text(small), {**expected, "numbers": "0" * 64})
    with pytest.raises(WorkerMismatch, match="worker tcp.*expected the numbers of this machine, 000"):
        remote.check_workers()
    with pytest.raises(WorkerMismatch, match="worker tcp"):
        next(remote.run(units(small)))


def test_a_worker_without_the_module_is_refused(small, tmp_path):
    if "dist-packages" in thzum.__file__:
        pytest.skip("the module is installed for every process")
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard"]
    notes = tmp_path / "scheduler.json"
    with stopped(command + ["--scheduler-file", str(notes), "--host", "127.0.0.1"], bare):
        wait_until(notes.exists)
        address = json.loads(notes.read_text())["address"]
        worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny", "--no-dashboard"]
        with stopped(worker, bare):
            with pytest.raises(ValueError, match="expected gnuradio.thzum and what it needs, got No module named"):
                run(small, tmp_path / "r.jsonl", scheduler=address)


def test_a_silent_scheduler_is_one_clear_error(small, tmp_path, monkeypatch):
    monkeypatch.setattr("gnuradio.thzum.simulation.cluster._PATIENCE", 0.5)
    with pytest.raises(ValueError, match="scheduler: expected the address of a Dask scheduler"):
        run(small, tmp_path / "r.jsonl", scheduler="tcp://127.0.0.1:9")


def test_without_dask_one_worker_still_works(small, finished, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    run(small, tmp_path / "r.jsonl", workers=1)
    assert (tmp_path / "r.jsonl").read_bytes() == finished.read_bytes()
    with pytest.raises(ValueError, match="needs Dask.*--workers 1"):
        run(small, tmp_path / "other.jsonl", workers=2)


@pytest.mark.parametrize("workers", [-1, 1.5, "two", True])
def test_bad_numbers_of_workers_are_refused(small, tmp_path, workers):
    with pytest.raises(ValueError, match="workers: expected an integer from 0"):
        run(small, tmp_path / "r.jsonl", workers=workers)


def test_an_interrupted_command_with_two_workers_continues(tmp_path):
    # Units of one channel, so that there are many of them when Ctrl-C comes.
    config = {**SMALL, "channels": 400, "block": 1}
    units = 4 * config["channels"]
    (tmp_path / "e.json").write_text(json.dumps(config))
    path = tmp_path / "r.jsonl"
    command = [sys.executable, "-m", "gnuradio.thzum.cli", "sweep", "--config", str(tmp_path / "e.json")]
    command += ["--workers", "2", "--out", str(path)]
    options = dict(stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    # Programs started in a shell's background ignore Ctrl-C, and their children with them.
    options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, **options) as sweep:
        wait_until(lambda: path.exists() and path.read_bytes().count(b"\n") > 20)
        os.killpg(sweep.pid, signal.SIGINT)
        _, errors = sweep.communicate(timeout=30)
    done = SweepResults.load(path).done
    assert sweep.returncode == 130 and 20 <= done < units
    assert errors.strip().splitlines()[-1] == (
        f"thzum: interrupted after {done} of {units} units, which {path} holds; the same command continues"
    )
    # The rest of the sweep in this process: what two workers wrote has to be what one writes.
    run(Experiment.from_dict(config), path, workers=1)
    run(Experiment.from_dict(config), tmp_path / "one.jsonl", workers=1)
    assert path.read_bytes() == (tmp_path / "one.jsonl").read_bytes()


class stopped:
    """A process that is ended when the block is left."""

    def __init__(self, command, environment):
        quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._process = subprocess.Popen(command, env=environment, **quiet)

    def __enter__(self):
        return self._process

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()


# Results


def test_the_interval_is_student_s_in_the_logarithm():
    mean, low, high = mean_interval([1.0, 2.0, 3.0, 4.0], 0.95)
    # t quantile of 3 degrees of freedom 3.1824463, s^2 = 5/3
    half = 3.1824463 * np.sqrt(5 / 3) / (2.5 * 2)
    np.testing.assert_allclose([mean, low, high], [2.5, 2.5 * np.exp(-half), 2.5 * np.exp(half)], rtol=1e-6)


def test_the_interval_covers_the_mean_as_often_as_it_says():
    # Gamma of shape 4 has skewness 1; the error of a two-sided interval's coverage is of order skewness^2 / n,
    # allowed here 2 / n, besides five standard errors of the count.
    n, trials = 200, 4000
    draws = np.random.default_rng(0).gamma(4.0, size=(trials, n))
    for level in (0.8, 0.95):
        inside = [low <= 4.0 <= high for _, low, high in (mean_interval(row, level) for row in draws)]
        assert abs(np.mean(inside) - level) < 5 * np.sqrt(level * (1 - level) / trials) + 2 / n


def test_intervals_that_nobody_knows_are_nan():
    for values, mean in (([0.3], 0.3), ([0.0, 0.0], 0.0), ([1.0, np.inf], np.inf)):
        found = mean_interval(values)
        assert found[0] == mean and np.isnan(found[1:]).all()
    for values, level in (([], 0.95), ([-1.0, 2.0], 0.95), ([1.0, np.nan], 0.95), ([1.0, 2.0], 1.0)):
        with pytest.raises(ValueError):
            mean_interval(values, level)


def test_points_are_the_means_of_the_arrays(finished):
    results = SweepResults.load(finished)
    nmse = results.array("nmse")
    assert nmse.shape == (2, 3, 2, 25) and np.isfinite(nmse).all()
    points = results.points()
    assert len(points) == 12 and {point.channels for point in points} == {25}
    point = points[7]  # second scenario, first algorithm, second SNR
    assert (point.scenario, point.algorithm, point.snr_db) == ("one bit", "ls", 10.0)
    assert point.value == pytest.approx(10 * np.log10(nmse[1, 0, 1].mean()))
    expected = 10 * np.log10(mean_interval(nmse[1, 0, 1])[1:])
    assert (point.low, point.high) == pytest.approx(tuple(expected))
    predicted = 10 * np.log10(np.mean(10 ** (results.array("predicted_nmse_db")[1, 0, 1] / 10)))
    assert point.figures["prediction_error_db"] == pytest.approx(predicted - point.value)
    assert point.ms_per_channel > 0
    with pytest.raises(ValueError, match="column: expected one of"):
        results.array("ber")


def test_a_failed_estimate_counts_as_an_infinite_error(finished, tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(re.sub(rb'"nmse": \[[^,]*,', b'"nmse": [null,', finished.read_bytes(), count=1))
    point = SweepResults.load(path).points()[0]
    assert point.value == np.inf and np.isnan(point.low)


def test_tables_and_exports(finished, tmp_path):
    results = SweepResults.load(finished)
    table = results.table()
    assert table.count("soft") == 4 and "one bit" in table and "[" in table
    results.to_csv(tmp_path / "r.csv")
    with open(tmp_path / "r.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[7]["value"]) == results.points()[7].value and rows[7]["iterations"] == "1.0"
    results.to_json(tmp_path / "r.json")
    document = json.loads((tmp_path / "r.json").read_text())
    assert document["experiment"] == results.experiment.to_dict() and len(document["points"]) == 12


def test_results_without_times_load(finished, tmp_path):
    (tmp_path / "r.jsonl").write_bytes(finished.read_bytes())
    (tmp_path / "r.times.jsonl").write_text('gibberish\n{"unit": [9]}\n[1]\n')
    results = SweepResults.load(tmp_path / "r.jsonl")
    assert np.isnan(results.points()[0].ms_per_channel) and not results.seconds()


def test_the_figure_has_a_panel_per_scenario_and_a_curve_per_algorithm(finished):
    drawn = figure(SweepResults.load(finished))
    assert [panel.get_title() for panel in drawn.axes] == ["hadamard", "one bit"]
    points = SweepResults.load(finished).points()
    for panel, start in zip(drawn.axes, (0, 6)):
        assert [entry.get_text() for entry in panel.get_legend().get_texts()] == ["ls", "lmmse", "soft"]
        for curve, first in zip(panel.containers, (start, start + 2, start + 4)):
            values = [point.value for point in points[first : first + 2]]
            np.testing.assert_allclose(curve.lines[0].get_ydata().astype(float), values)


# The command


def test_command_from_options(tmp_path, capsys):
    out = tmp_path / "r.jsonl"
    words = "sweep --scenario thz300_aosa4x256 --estimator ls oamp:denoiser=soft_threshold,max_iterations=3"
    words += f" --snr -5 0 --channels 4 --block 4 --workers 1 --n-slots 64 --training-channels 0 --out {out}"
    assert main([*words.split(), "--plot", str(tmp_path / "r.png"), "--csv", str(tmp_path / "r.csv")]) == 0
    shown = capsys.readouterr()
    assert "thz300_aosa4x256" in shown.out and "wrote" in shown.out
    assert (tmp_path / "r.png").stat().st_size > 1000
    experiment = SweepResults.load(out).experiment
    assert experiment.algorithms[1].options == {"denoiser": "soft_threshold", "max_iterations": 3}
    assert experiment.scenarios[0].n_slots == 64 and experiment.snr_db == (-5.0, 0.0)
    assert main(["sweep", "show", str(out), "--level", "0.9", "--json", str(tmp_path / "r.json")]) == 0
    assert json.loads((tmp_path / "r.json").read_text())["level"] == 0.9
    assert capsys.readouterr().out.splitlines()[:2] == shown.out.splitlines()[:2]


@pytest.mark.parametrize(
    "words, text",
    [
        ("--scenario thz300_aosa4x256 --estimator ls", "--out: expected a results file"),
        ("--scenario thz300_aosa4x256 --out {}", "algorithms: expected at least one"),
        ("--estimator ls --out {}", "scenarios: expected at least one"),
        ("--scenario thz300_aosa4x256 --estimator magic --out {}", "got 'magic'"),
        ("--scenario thz300_aosa4x256 --estimator ls:x --out {}", "--estimator: expected NAME:OPTION=VALUE"),
        ("--scenario thz300_aosa4x256 --estimator ls --snr inf --out {}", "snr_db: expected a number"),
        ("show {}.missing", "No such file"),
    ],
)
def test_bad_commands_are_one_line(tmp_path, capsys, words, text):
    assert main(["sweep", *words.format(tmp_path / "r.jsonl").split()]) == 2
    errors = capsys.readouterr().err
    assert text in errors and errors.count("\n") == 1 and "Traceback" not in errors


def test_options_replace_what_a_file_says(tmp_path):
    (tmp_path / "e.json").write_text(json.dumps(SMALL))
    out = tmp_path / "r.jsonl"
    words = f"sweep --config {tmp_path}/e.json --channels 5 --n-slots 4 --estimator ls --workers 1 --out {out}"
    assert main(words.split()) == 0
    experiment = SweepResults.load(out).experiment
    assert experiment.channels == 5 and [entry.n_slots for entry in experiment.scenarios] == [4, 4]
    assert experiment.block == 10 and [choice.label for choice in experiment.algorithms] == ["ls"]


def test_the_documented_experiments_are_some(root):
    text = (root / "docs" / "sweep.md").read_text()
    documents = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    experiments = [Experiment.from_dict(parse_yaml(document)) for document in documents]
    assert [experiment.task for experiment in experiments] == ["estimate", "detect"]
    for experiment in experiments:
        task(experiment.task).check(experiment)


def test_a_unit_is_plain_data(small):
    results, seconds = run_unit(as_text(small), (1, 2, 0))
    assert json.loads(json.dumps(results)) == results
    assert len(results["ls"]["nmse"]) == 5 and {"ls", "lmmse", "soft", "channels"} <= set(seconds)
