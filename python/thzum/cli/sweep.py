# SPDX-License-Identifier: GPL-3.0-or-later
"""``thzum sweep``: Monte-Carlo experiments and their results."""

import sys

DESCRIPTION = """\
Runs every algorithm on the same channels and noise, per scenario and SNR, and writes each finished unit to a
results file. The same command continues an interrupted sweep; the file is the same for any number of workers.
"""

EXAMPLES = """\
examples:
  thzum sweep --scenario thz300_aosa4x256 --estimator ls lmmse omp oamp fpn_oamp --channels 1000 \\
              --workers 2 --out results.jsonl --plot results.png
  thzum sweep --config experiment.yml --scheduler tcp://10.0.0.1:8786 --out results.jsonl
  thzum sweep show results.jsonl --csv results.csv
"""

# Option of the command line, key of the experiment.
_EXPERIMENT_KEYS = {
    "task": "task",
    "estimator": "algorithms",
    "snr": "snr_db",
    "channels": "channels",
    "block": "block",
    "training_channels": "training_channels",
    "seed": "seed",
}
_SCENARIO_KEYS = ("n_slots", "undersampling", "combiner", "noise_model")


def add_parser(subparsers):
    """Add ``sweep`` to the parsers of ``thzum``."""
    import argparse

    parser = subparsers.add_parser(
        "sweep",
        help="Monte-Carlo experiments over processes or a cluster",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_experiment(parser)
    _add_execution(parser)
    parser.set_defaults(run=_run)
    commands = parser.add_subparsers(metavar="show", title="look at results")
    show = commands.add_parser("show", help="print, draw or export a results file")
    show.add_argument("file", metavar="FILE", help="results file of thzum sweep, finished or not")
    _add_output(show, "show_")
    show.set_defaults(run=_show)


def _add_experiment(parser):
    group = parser.add_argument_group("experiment", "options replace what a file says")
    group.add_argument("--config", metavar="FILE", help="experiment in YAML or JSON")
    group.add_argument("--scenario", nargs="+", metavar="NAME", help="channel presets")
    group.add_argument(
        "--estimator",
        nargs="+",
        metavar="NAME[:OPTION=VALUE,…]",
        help="names of thzum.estimators(), with options",
    )
    group.add_argument("--snr", nargs="+", type=float, metavar="DB", help="SNRs in dB (default: 0 5 10 15 20)")
    group.add_argument("--channels", type=int, metavar="N", help="channels per point (default: 1000)")
    slots = group.add_mutually_exclusive_group()
    slots.add_argument("--n-slots", type=int, metavar="Q", help="pilot slots")
    slots.add_argument("--undersampling", type=float, metavar="RATIO", help="M/N instead of slots (default: 0.5)")
    group.add_argument("--combiner", help="hadamard (default) or random_one_bit")
    group.add_argument("--noise-model", help="per_slot (default) or common")
    group.add_argument("--seed", type=int, help="default: 0")
    group.add_argument("--block", type=int, metavar="N", help="channels per unit of work (default: 100)")
    text = "channels from which lmmse learns its covariance (default: 5000)"
    group.add_argument("--training-channels", type=int, metavar="N", help=text)
    group.add_argument("--task", help="what is computed (default: estimate)")


def _add_execution(parser):
    group = parser.add_argument_group("execution")
    group.add_argument("--out", metavar="FILE", help="results file; an interrupted one is continued")
    text = "processes on this machine; 1 needs no Dask (default: one per processor)"
    group.add_argument("--workers", type=int, metavar="N", help=text)
    group.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers compute, tcp://HOST:PORT")
    _add_output(parser, "")


def _add_output(parser, prefix):
    group = parser.add_argument_group("output")
    group.add_argument("--plot", dest=f"{prefix}plot", metavar="FILE", help="draw the figure (.png, .pdf, .svg)")
    group.add_argument("--csv", dest=f"{prefix}csv", metavar="FILE", help="write the points as CSV")
    group.add_argument("--json", dest=f"{prefix}json", metavar="FILE", help="write the points as JSON")
    text = "level of the confidence intervals (default: 0.95)"
    group.add_argument("--level", dest=f"{prefix}level", type=float, default=0.95, metavar="P", help=text)


def _run(options):
    from ..simulation import run
    from ..simulation.runner import Interrupted

    if options.out is None:
        raise ValueError("--out: expected a results file, got none")
    experiment = _experiment(options)
    with _Progress() as progress:
        try:
            run(experiment, options.out, options.workers, options.scheduler, progress)
        except KeyboardInterrupt as stop:
            progress.close()
            kept = "before the first unit"
            if isinstance(stop, Interrupted):
                kept = f"after {stop.done} of {stop.total} units, which {options.out} holds"
            print(f"thzum: interrupted {kept}; the same command continues", file=sys.stderr)
            return 130
    _report(options.out, options.plot, options.csv, options.json, options.level)
    return 0


def _show(options):
    _report(options.file, options.show_plot, options.show_csv, options.show_json, options.show_level)
    return 0


def _report(path, plot, csv, json, level):
    from ..simulation import SweepResults, figure

    results = SweepResults.load(path)
    print(results.table(level))
    seconds = results.seconds()
    if seconds:
        parts = ", ".join(f"{part} {cpu:.1f}" for part, (cpu, _) in seconds.items())
        total = sum(cpu for cpu, _ in seconds.values())
        print(f"\nprocessor time of the units {total:.1f} s: {parts}")
    if results.done < results.total:
        print(f"\n{results.done} of {results.total} units are finished")
    if csv:
        results.to_csv(csv, level)
    if json:
        results.to_json(json, level)
    if plot:
        figure(results, level).savefig(plot, dpi=150)
    for written in filter(None, (csv, json, plot)):
        print(f"wrote {written}")


def _experiment(options):
    """The :class:`Experiment` of a file and the options that replace parts of it."""
    from ..channel.config_file import read_document
    from ..simulation import Experiment

    config = {} if options.config is None else read_document(options.config)
    given = vars(options)
    config |= {key: given[name] for name, key in _EXPERIMENT_KEYS.items() if given[name] is not None}
    if options.estimator is not None:
        config["algorithms"] = [_algorithm(text) for text in options.estimator]
    if options.scenario is not None:
        config["scenarios"] = options.scenario
    pilots = {key: given[key] for key in _SCENARIO_KEYS if given[key] is not None}
    if pilots and isinstance(config.get("scenarios"), list):
        config["scenarios"] = [_with_pilots(entry, pilots) for entry in config["scenarios"]]
    return Experiment.from_dict(config)


def _with_pilots(scenario, pilots):
    scenario = {"channel": scenario} if isinstance(scenario, str) else scenario
    if not isinstance(scenario, dict):
        return scenario
    replaced = set(pilots) | ({"n_slots", "undersampling"} if {"n_slots", "undersampling"} & set(pilots) else set())
    return {key: value for key, value in scenario.items() if key not in replaced} | pilots


def _algorithm(text):
    """``name`` or ``name:option=value,…`` as an algorithm's dictionary; values are read as in YAML."""
    from ..channel.config_file import parse_yaml

    name, colon, rest = text.partition(":")
    options = {}
    for part in rest.split(",") if colon else ():
        option, equals, value = part.partition("=")
        if not (option and equals):
            raise ValueError(f"--estimator: expected NAME:OPTION=VALUE,…, got {text!r}")
        options[option] = parse_yaml(value)
    return {"algorithm": name, "label": text, "options": options}


class _Progress:
    """A bar with the expected time left; shown on terminals only."""

    def __init__(self):
        self._bar = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __call__(self, done, total, lost_bytes):
        from tqdm import tqdm

        if self._bar is None:
            if lost_bytes:
                text = f"thzum: dropped an unfinished line of {lost_bytes} bytes; it is computed again"
                print(text, file=sys.stderr)
            self._bar = tqdm(total=total, initial=done, desc="sweep", unit="unit", disable=None)
        self._bar.update(done - self._bar.n)

    def close(self):
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()
