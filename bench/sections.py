# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``./run bench`` can measure: the sections, how each is shown, and which figures it draws."""

import dataclasses
from typing import Callable, Optional

import accuracy
import accuracy_time
import air_errors
import amp_gnn
import bounds
import channels
import cost
import detection
import display
import hybrids
import latency
import llr_quality
import memory
import prediction
import quantised
import radio_speed
import precision
import robustness
import soak
import speed
import sync
import state_evolution
import tracking
import uplink_channel
import user_offsets
import wideband


def values(results, indent="  "):
    """Nested dictionaries of numbers as text, a line for each number or list of numbers."""
    lines = []
    for name, value in results.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", values(value, indent + "  ")]
        elif isinstance(value, (list, tuple)):
            entries = (f"{entry:.4g}" if isinstance(entry, float) else str(entry) for entry in value)
            lines.append(f"{indent}{name}: " + " ".join(entries))
        else:
            lines.append(f"{indent}{name}: " + (f"{value:.4g}" if isinstance(value, float) else str(value)))
    return "\n".join(lines)


def nmse_table(table):
    """{name: [NMSE in dB per SNR]} as text."""
    lines = [f"  {'SNR in dB':28}" + "".join(f"{snr:>8}" for snr in accuracy.SNRS_DB)]
    lines += [f"  {name:28}" + "".join(f"{value:8.2f}" for value in row) for name, row in table.items()]
    return "\n".join(lines)


@dataclasses.dataclass(frozen=True)
class Section:
    """One part of the benchmark.

    Attributes:
        title: a line above the results.
        measure: (path of the reference channels, **sizes) -> results of plain numbers, lists and dictionaries.
        quick: sizes that show in seconds that it runs; its figures then say nothing.
        report: results -> text.
        figures: (results, folder), writes its figures; None if it draws none.
        always: measured where no section is asked for.
    """

    title: str
    measure: Callable
    quick: dict = dataclasses.field(default_factory=dict)
    report: Callable = values
    figures: Optional[Callable] = None
    always: bool = True


def _on_its_own(module, title, quick, report=values, figures=None):
    """A section of a module that needs no reference channels, measured only where it is asked for."""
    return Section(title, lambda _, **sizes: module.measure(**sizes), quick, report, figures, always=False)


def _detection(_, symbols=detection.SYMBOLS, sizes=detection.SIZES, seconds=1.0):
    return dict(
        symbol_error_rate=detection.error_rates(symbols),
        microseconds=detection.times(seconds=seconds),
        numpy_lmmse=detection.numpy_lmmse(),
        cost_by_users=detection.costs(sizes),
    )


def _detection_figures(results, folder):
    for suffix in ("svg", "png"):
        detection.plot(results["cost_by_users"], folder / f"cost_detectors.{suffix}")


SECTIONS = {
    "reference": Section(
        "NMSE in dB, reference channels, own combiner, common noise",
        accuracy.reference_table,
        dict(names=("ls", "newtonized_omp")),
        nmse_table,
    ),
    "undersampled": Section(
        "NMSE in dB, reference channels, the first 77 of 256 rows of the own combiner (M/N = 0.3), common noise",
        lambda path, **sizes: accuracy.reference_table(path, n_slots=77, **sizes),
        dict(names=("newtonized_omp",)),
        nmse_table,
        always=False,
    ),
    "hadamard": Section(
        "NMSE in dB, reference channels, Hadamard combiner, fresh noise per slot",
        accuracy.hadamard_table,
        dict(names=("ls", "newtonized_omp")),
        nmse_table,
    ),
    "fixed_point": Section("Fixed point of fpn_oamp", accuracy.fixed_point, dict(depths=(1, 2))),
    "linear_module": Section("Linear module, one thread", lambda _: speed.linear_module()),
    "estimate": Section("One estimate, one thread", lambda _: speed.estimate()),
    "streaming": Section(
        "Flowgraph against the bare object", lambda _, **sizes: speed.streaming(**sizes), dict(items=32)
    ),
    "memory": Section("Memory", lambda _: memory.receiver()),
    "channels": Section(
        "Channels of the 1024-antenna preset per second, one thread", lambda _: channels.rates()
    ),
    "uplink": Section(
        "Streaming uplink, 4 users x 4 RF chains, Msample/s per stream", lambda _: uplink_channel.measure()
    ),
    "sweep": Section("thzum sweep, 5 estimators x 5 SNRs x 1000 channels", lambda _: channels.sweep()),
    "bounds": Section(
        "NMSE in dB beside what bounds it, own channels, Hadamard combiner",
        bounds.measure,
        dict(channels=2),
        bounds.report,
        bounds.figures,
        always=False,
    ),
    "state_evolution": Section(
        "NMSE in dB of each iteration, predicted by state evolution and measured",
        state_evolution.measure,
        dict(channels=2, iterations=2),
        state_evolution.report,
        state_evolution.figures,
        always=False,
    ),
    "robustness": _on_its_own(
        robustness, "NMSE in dB (prediction less truth), 10 dB SNR, 1024 antennas unless the row says otherwise",
        dict(count=2, names=("paths, free", "fpn_oamp")), robustness.report, robustness.figures,
    ),
    "accuracy_time": Section(
        "Accuracy against time of an estimate, 1024 antennas, 10 dB SNR, one thread",
        accuracy_time.measure,
        dict(channels=4, rounds=1, families=("newtonized_omp, free gains",)),
        accuracy_time.report,
        accuracy_time.figures,
        always=False,
    ),
    "cost": Section(
        "ms of thread time per estimate, batch one, as the array grows",
        cost.measure,
        dict(sizes=(1, 2), channels=1, rounds=1, labels=("ls", "newtonized_omp, free gains")),
        cost.report,
        cost.figures,
        always=False,
    ),
    "precision": Section(
        "Eight bits in the denoiser of fpn_oamp: NMSE in dB at 0 to 20 dB SNR, ms of thread time",
        precision.measure,
        dict(channels=2, batches=1, rounds=1),
        always=False,
    ),
    "latency": Section(
        "Latency of a frame through the flowgraph, one thread estimates",
        latency.measure,
        dict(frames=16, labels=("newtonized_omp, free gains",)),
        latency.report,
        always=False,
    ),
    "wideband": _on_its_own(
        wideband, "Wideband estimation, 30 GHz at 300 GHz: NMSE in dB and ms of thread time per channel",
        dict(counts={1: 1, 2: 1}),
    ),
    "tracking": _on_its_own(
        tracking, "Cold and warm starts against motion per frame in wavelengths",
        dict(users=1, frames=2),
    ),
    "display": _on_its_own(
        display, "Displays at 20 frames and 20 pictures a second, off screen",
        dict(seconds=0.3), display.report,
    ),
    "detection": Section(
        "Detectors at 32 x 24: symbol error rates with their standard errors, microseconds per detection",
        _detection,
        dict(symbols=48, sizes=(16,), seconds=0.1),
        figures=_detection_figures,
        always=False,
    ),
    "llr_quality": _on_its_own(
        llr_quality, "Soft bits at 32 x 24, 16-QAM: code words lost behind gr-fec's LDPC decoder, information, calibration",
        dict(words=48, snr_db=(14.0,), detectors=("lmmse", "ep")), llr_quality.report, llr_quality.figures,
    ),
    "amp_gnn": _on_its_own(
        amp_gnn, "amp_gnn beside its rivals: symbol error rates, information in soft bits, microseconds per detection",
        dict(symbols=1200, seconds=0.1, published=False, rows=("16qam 32x24",)), amp_gnn.report,
    ),
    "quantised": _on_its_own(
        quantised, "Converters of few bits, with and without the generalised linear step",
        dict(channels=1, bits=(2,)), quantised.report,
    ),
    "prediction": _on_its_own(
        prediction, "Predicted NMSE within 1 dB of the frame's own, beside what an oracle could do",
        dict(channels=2, draws=2, snrs_db=(10.0,)), prediction.report,
    ),
    "hybrids": _on_its_own(
        hybrids, "auto beside other ways to combine both estimates, NMSE in dB",
        dict(channels=2, snrs_db=(10.0,)), hybrids.report,
    ),
    "sync": _on_its_own(
        sync, "Frame synchronisation: detection, false alarms, cost for the estimate",
        dict(frames=3, noise_frames=3, loss_frames=1), sync.report,
    ),
    "user_offsets": _on_its_own(
        user_offsets, "Users with frequency offsets and phase noise of their own, followed and not",
        dict(frames=1, snrs=(20.0,), spreads=(2e-4,)), user_offsets.report,
    ),
    "radio_errors": _on_its_own(
        air_errors, "Frames lost over the virtual radio and behind perfect synchronisation",
        dict(channels=1, frames=3), air_errors.report,
    ),
    "radio_speed": _on_its_own(
        radio_speed, "The virtual radio: rates without overflow, latency of the estimate",
        dict(seconds=1.0, rates=(50e3,)), radio_speed.report,
    ),
    "soak": _on_its_own(
        soak, "Ten minutes over the virtual radio",
        dict(seconds=5.0), soak.report,
    ),
}
