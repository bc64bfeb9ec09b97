# SPDX-License-Identifier: GPL-3.0-or-later
"""Receive a recording from RF-chain samples to decided symbols, score it against the truth, draw a figure.

python3 -m gnuradio.thzum.demo [--frames N] [--recording PATH] [--estimator NAME] [--png PATH]
"""

import argparse
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pmt
from gnuradio import gr

from . import channel, metrics, plots, thzum_python
from .frame import constellation
from .recording_source import recording_source
from .rx.graph import ReceiverGraph

#: Simulated channels from which LMMSE learns its covariance.
LMMSE_PRESET = "thz300_aosa4x256"

#: Estimators of the comparison, in the order of their bars.
COMPARED = ("ls", "lmmse", "omp", "oamp", "fpn_oamp", "auto")


class item_sink(gr.sync_block):
    """Keep every vector of a stream and its tags, for reading while the flowgraph runs."""

    def __init__(self, dtype, vlen):
        gr.sync_block.__init__(self, name="item_sink", in_sig=[(dtype, vlen)], out_sig=None)
        self._parts = [np.empty((0, vlen), dtype)]
        self._tags = {}
        self._lock = threading.Lock()

    def work(self, input_items, output_items):
        items = input_items[0]
        with self._lock:
            self._parts.append(items.copy())
            for tag in self.get_tags_in_window(0, 0, len(items)):
                entry = self._tags.setdefault(tag.offset, {})
                entry[pmt.symbol_to_string(tag.key)] = pmt.to_python(tag.value)
        return len(items)

    def items(self):
        """All vectors so far, [n, vlen]."""
        with self._lock:
            self._parts = [np.concatenate(self._parts)]
            return self._parts[0]

    def tags(self, index):
        """Tags of vector ``index`` as a dictionary without the prefix thzum_."""
        with self._lock:
            return {key.replace("thzum_", "", 1): value for key, value in self._tags.get(index, {}).items()}


class receiver(ReceiverGraph):
    """The receiver on a recording, with everything that comes out of it kept for scoring."""

    def __init__(self, path, n_frames, estimator, detector):
        source = recording_source(path, n_frames=n_frames)
        self.recording = source.recording
        super().__init__(source, self.recording.plan, estimator, detector, title="thzum demo")
        plan = self.plan
        self.y = self._kept(self.pilots, 0, np.complex64, plan.n_observations)
        self.data = self._kept(self.pilots, 1, np.complex64, plan.n_subarrays)
        self.h_hat = self._kept(self.estimator, 0, np.complex64, plan.n_antennas)
        self.symbols = [self._kept(part.detector, 0, np.int32, plan.n_users) for part in self.sections]
        self.x_hat = [self._kept(part.detector, 2, np.complex64, plan.n_users) for part in self.sections]

    def _kept(self, block, port, dtype, vlen):
        sink = item_sink(dtype, vlen)
        self.connect((block, port), sink)
        return sink

    def frames_done(self):
        """Frames that have gone all the way."""
        estimated = len(self.h_hat.items()) // self.plan.n_users
        detected = [
            len(sink.items()) // count for sink, (_, _, count) in zip(self.symbols, self.plan.data_sections)
        ]
        return min([estimated, *detected])


@dataclass
class Score:
    """What became of one user in one frame; ``index`` is its place in the stream of estimates."""

    frame: int
    user: int
    index: int
    snr_db: float
    iterations: int
    residual: float
    predicted_nmse_db: float
    nmse: float
    errors: int
    symbols: int

    HEADER = "frame user   SNR  iterations  residual  predicted NMSE   true NMSE  symbol errors  estimates/s"

    def row(self, rate):
        """Line of the live table."""
        predicted = "-" if np.isnan(self.predicted_nmse_db) else f"{self.predicted_nmse_db:.1f} dB"
        return (
            f"{self.frame:5d} {self.user:4d} {self.snr_db:5.1f} {self.iterations:11d}  {self.residual:8.1e}"
            f"  {predicted:>14}  {10 * np.log10(self.nmse):7.1f} dB  {self.errors:5d} / {self.symbols:<5d}"
            f"  {rate:11.0f}"
        )


def score_frame(graph, position):
    """Scores of the users that sent in the frame that came out as number ``position``."""
    plan, truth = graph.plan, graph.recording.truth
    first = position * plan.n_users
    number = int(graph.h_hat.tags(first)["frame"])
    annotation = next(f for f in graph.recording.frames if f.frame == number)
    h, sent = truth.channels(number), truth.symbols(number)
    decided = np.concatenate(
        [
            sink.items()[position * count : (position + 1) * count]
            for sink, (_, _, count) in zip(graph.symbols, plan.data_sections)
        ]
    ).T
    scores = []
    for user in annotation.users:
        tags = graph.h_hat.tags(first + user)
        errors, count = metrics.symbol_errors(decided[user], sent[user])
        scores.append(
            Score(
                frame=number,
                user=user,
                index=first + user,
                snr_db=annotation.snr_db,
                iterations=tags.get("iterations", 0),
                residual=tags.get("residual", float("nan")),
                predicted_nmse_db=tags.get("predicted_nmse_db", float("nan")),
                nmse=float(metrics.nmse(graph.h_hat.items()[first + user], h[user])),
                errors=errors,
                symbols=count,
            )
        )
    return scores


def run_live(graph, out=print):
    """Run the flowgraph to its end, printing each frame as it is done; returns (scores, seconds)."""
    scores, done = [], 0
    out(Score.HEADER)
    begin = time.monotonic()
    graph.start()
    waiter = threading.Thread(target=graph.wait, daemon=True)
    waiter.start()
    running = True
    while running:
        waiter.join(0.05)
        running = waiter.is_alive()
        elapsed = time.monotonic() - begin
        for position in range(done, graph.frames_done()):
            new = score_frame(graph, position)
            scores += new
            for score in new:
                out(score.row(len(scores) / elapsed))
            done = position + 1
    return scores, time.monotonic() - begin


def nmse_by_snr(snr_db, nmse):
    """{SNR: mean NMSE in dB}."""
    snr_db, nmse = np.asarray(snr_db), np.asarray(nmse)
    return {float(snr): float(10 * np.log10(np.mean(nmse[snr_db == snr]))) for snr in np.unique(snr_db)}


def print_totals(graph, scores, seconds, out=print):
    """Totals per SNR and over all."""
    out("")
    out("  SNR   channels   NMSE        symbol errors")
    by_snr = nmse_by_snr([s.snr_db for s in scores], [s.nmse for s in scores])
    for snr, value in by_snr.items():
        part = [s for s in scores if s.snr_db == snr]
        errors, count = sum(s.errors for s in part), sum(s.symbols for s in part)
        out(f"{snr:5.1f} {len(part):10d}   {value:6.1f} dB   {errors} / {count} ({errors / count:.2%})")
    frames = len({s.frame for s in scores})
    iterations = np.mean([s.iterations for s in scores])
    out(
        f"{frames} frames, {len(scores)} channels of {graph.plan.n_antennas} antennas, "
        f"{iterations:.1f} iterations each, {seconds:.2f} s, "
        f"{len(scores) / seconds:.0f} estimates/s with {graph.estimator.settings()}"
    )


def compare_estimators(graph, scores, out=print):
    """{estimator: {SNR: NMSE in dB}} of :data:`COMPARED` on the pilots that the flowgraph received."""
    truth = graph.recording.truth
    index = [s.index for s in scores]
    y = graph.y.items()[index]
    noise_var = np.array([graph.y.tags(i)["noise_var"] for i in index], np.float32)
    h = np.array([truth.channels(s.frame)[s.user] for s in scores])
    snr_db = [s.snr_db for s in scores]
    results = {}
    for name in COMPARED:
        try:
            # LMMSE learns its covariance from this project's simulator, not from the recording's channels.
            options = dict(samples=channel.preset(LMMSE_PRESET).sample(3000)) if name == "lmmse" else {}
            estimator = thzum_python.estimator(name, graph.plan.operator, array=graph.plan.array, **options)
            begin = time.monotonic()
            h_hat, _ = estimator.estimate(y, noise_var)
        except (ValueError, RuntimeError) as error:
            out(f"  {name:<10} left out: {error}")
            continue
        seconds = time.monotonic() - begin
        results[name] = nmse_by_snr(snr_db, metrics.nmse(h_hat, h))
        values = "  ".join(f"{value:6.1f} dB at {snr:g} dB" for snr, value in results[name].items())
        out(f"  {name:<10} {values}   ({1e3 * seconds / len(y):.2f} ms each)")
    return results


def draw(graph, scores, results, path):
    """One figure: angular spectra, NMSE of the estimators, constellation before and after equalisation."""
    best = max(s.snr_db for s in scores)
    shown = next(s for s in scores if s.snr_db == best)
    figure = plots.new_figure(15, 12)
    n_shown = min(graph.plan.n_subarrays, 4)
    grid = figure.add_gridspec(3, 4, height_ratios=(1, 1, 1.25), hspace=0.3, wspace=0.3)
    _draw_spectra(figure, grid, n_shown, graph, shown)
    bars = figure.add_subplot(grid[2, :2])
    plots.plot_nmse_bars(bars, results, "Channel estimation error on this recording")
    before, after, points = _equalisation(graph, {s.frame: s for s in scores if s.snr_db == best})
    axes = [figure.add_subplot(grid[2, column]) for column in (2, 3)]
    plots.plot_constellation(axes[0], before, title=f"RF chain 1, {best:g} dB: as received", limit=2.5)
    plots.plot_constellation(axes[1], after, points, title="all users: detected", limit=1.6)
    figure.suptitle(
        f"{graph.plan.n_antennas} antennas, {graph.plan.n_observations} pilot observations, "
        f"{graph.plan.n_subarrays} RF chains at {graph.plan.array.carrier_frequency / 1e9:g} GHz: "
        f"frame {shown.frame}, user {shown.user}, {shown.snr_db:g} dB, "
        f"estimator {graph.estimator.algorithm()}, NMSE {10 * np.log10(shown.nmse):.1f} dB",
        y=0.93,
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    return path


def _draw_spectra(figure, grid, n_shown, graph, shown):
    array = graph.plan.array
    shape = (array.n_subarrays, array.rows, array.cols)
    true = graph.recording.truth.channels(shown.frame)[shown.user].reshape(shape)
    estimate = graph.h_hat.items()[shown.index].reshape(shape)
    peak = max(np.nanmax(plots.angular_spectrum(h, array.spacing)) for h in true)
    axes = []
    for row, (kind, h) in enumerate((("true", true), ("estimated", estimate))):
        for s in range(n_shown):
            axes.append(figure.add_subplot(grid[row, s]))
            title = f"subarray {s + 1}: {kind}"
            image = plots.plot_angular_spectrum(axes[-1], h[s], array.spacing, peak, title=title)
            if row == 0:
                axes[-1].set_xlabel("")
            if s > 0:
                axes[-1].set_ylabel("")
    figure.colorbar(image, ax=axes, label="angular power (dB)", fraction=0.02, pad=0.02)


def _equalisation(graph, frames):
    """(RF chain 1 at unit power, x_hat, points) of the section with the most points in ``frames``."""
    sections = graph.plan.data_sections
    section = max(range(len(sections)), key=lambda k: len(constellation(sections[k][0])))
    name, first, count = sections[section]
    annotations = {f.frame: f for f in graph.recording.frames}
    before, after = [], []
    for number, score in frames.items():
        position = score.index // graph.plan.n_users
        start = position * graph.plan.n_data + first
        chain = graph.data.items()[start : start + count, 0]
        before.append(chain / np.sqrt(np.mean(np.abs(chain) ** 2)))
        x_hat = graph.x_hat[section].items()[position * count : (position + 1) * count]
        after.append(x_hat[:, list(annotations[number].users)].ravel())
    return np.concatenate(before), np.concatenate(after), constellation(name)


def arguments(argv):
    parser = argparse.ArgumentParser(prog="thzum demo", description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=0, help="frames to receive (default: all)")
    parser.add_argument("--recording", default="", help="SigMF recording with truth (default: shipped)")
    names = dict(estimator=sorted(thzum_python.estimators()), detector=sorted(thzum_python.detectors()))
    usual = "default: %(default)s"
    parser.add_argument("--estimator", default="fpn_oamp", choices=names["estimator"], help=usual)
    parser.add_argument("--detector", default="lmmse", choices=names["detector"], help=usual)
    parser.add_argument("--png", default="build/demo.png", help="figure to write (default: %(default)s)")
    parsed = parser.parse_args(argv)
    if parsed.frames < 0:
        parser.error(f"--frames: expected a number of at least 0, got {parsed.frames}")
    return parsed


def main(argv=None):
    options = arguments(argv)
    try:
        graph = receiver(options.recording, options.frames, options.estimator, options.detector)
        graph.recording.truth
    except (FileNotFoundError, ValueError, RuntimeError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    print(graph.recording)
    print(graph.plan)
    print(graph.estimator.settings())
    scores, seconds = run_live(graph)
    if not scores:
        print("demo: the recording gave no frame", file=sys.stderr)
        return 1
    print_totals(graph, scores, seconds)
    print("\nEstimators on the same pilots:")
    results = compare_estimators(graph, scores)
    print(f"\nfigure: {draw(graph, scores, results, options.png)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
