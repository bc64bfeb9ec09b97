# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs when every user has a frequency offset and phase noise of its own, followed and not followed."""

import argparse

import numpy as np
from gnuradio import thzum
from gnuradio.thzum.frame import choose_beams, despread

import as_json
from sync import ARRAY, MAX_CFO, Air, air_plan, aligned_nmse, chain_gains

#: Own offsets of the users lie within these, either way, in cycles per symbol.
SPREADS = (0.0, 2e-4, 5e-4, 1e-3)

#: Variance in rad^2 per symbol of the users' own phase walks that are tried beside the offsets.
WALK = 1e-4

#: Constellation at each SNR, so that there are errors to count.
CONSTELLATIONS = {0.0: "16qam", 10.0: "64qam", 20.0: "256qam"}


def aligned(gains, got, noise_var):
    """Effective channel [S, K] turned to the users' references among the data, as the MIMO Detector does."""
    if got["user_references"] is None:
        return gains
    product = np.sum(gains.conj() * got["user_references"], axis=0)
    is_sure = np.abs(product) ** 2 > 25 * noise_var * np.sum(np.abs(gains) ** 2, axis=0)
    return gains * np.where(is_sure, np.exp(1j * np.angle(product)), 1)


class Receiver:
    """Frame synchronisation, estimates and detection; counts what goes wrong."""

    def __init__(self, plan, constellation, estimators, **options):
        self.plan = plan
        self.options = options
        self.estimators = estimators
        self.detectors = {
            name: thzum.detector(name, plan.n_subarrays, plan.n_users, constellation) for name in ("lmmse", "ep")
        }
        self.errors = {name: [] for name in estimators}
        self.wrong = dict.fromkeys(self.detectors, 0)
        self.offsets, self.followed, self.frames = [], 0, 0

    def frame(self, y, h, beams, sent, noise_var, own):
        """Takes the samples ``y`` of a frame; False when it was missed."""
        plan = self.plan
        found = thzum.frame_synchronizer(plan.air, plan.n_subarrays, **self.options).process(y)
        if len(found) != 1:
            return False
        (got,) = found
        self.frames += 1
        self.followed += got["user_phases"] is not None
        self.offsets.append(got["cfo"] + got["user_cfo"] - own)
        pilots = despread(plan, got["symbols"][:, plan.pilot_offset : plan.data_offset]).astype(np.complex64)
        for name, estimator in self.estimators.items():
            estimate = estimator.estimate(pilots, noise_var / plan.n_users)[0]
            self.errors[name].extend(aligned_nmse(estimate, h))
        gains = chain_gains(plan, estimate, beams)[:, -1]
        phases = np.zeros((plan.n_data, plan.n_users)) if got["user_phases"] is None else got["user_phases"]
        channels = (aligned(gains, got, noise_var) * np.exp(1j * phases)[:, None]).astype(np.complex64)
        data = np.ascontiguousarray(got["symbols"][:, plan.data_offset :].T)
        for name, detector in self.detectors.items():
            self.wrong[name] += int(np.sum(detector.detect(channels, data, noise_var)[0] != sent.T))
        return True

    def result(self):
        """The figures."""
        symbols = self.frames * self.plan.n_users * self.plan.n_data
        return dict(
            frames=self.frames,
            followed=self.followed,
            nmse_db={name: float(10 * np.log10(np.mean(e))) for name, e in self.errors.items()},
            symbol_error_rate={name: count / symbols for name, count in self.wrong.items()},
            offset_rms=float(np.sqrt(np.mean(np.square(self.offsets)))),
        )


def own_phases(kind, spread, n_users, at, rng):
    """Phases [K, count] in radians and frequencies [K] of users at times ``at`` in symbols."""
    frequency = rng.uniform(-1, 1, n_users) * spread
    walk = np.cumsum(rng.standard_normal((n_users, len(at))), axis=1) * np.sqrt(WALK * (at[1] - at[0]))
    return 2 * np.pi * frequency[:, None] * at + (walk if kind == "walk" else 0), frequency


def compare(frames, snr_db, spread, kind="offset", seed=3):
    """The same frames with users' own phases, followed and not, and with users who have none.

    The same channels, symbols, noise and place of the frame; the receiver's own offset is drawn as well.
    """
    plan = air_plan()
    air, rng = Air(plan), np.random.default_rng(seed)
    h = thzum.channel.preset(ARRAY).sample(frames * plan.n_users, seed=seed).reshape(frames, plan.n_users, -1)
    noise_var = plan.n_users * 10 ** (-snr_db / 10)
    constellation = CONSTELLATIONS[snr_db]
    estimators = {
        "fpn_oamp": thzum.estimator("fpn_oamp", plan.operator),
        "newtonized_omp": thzum.estimator("newtonized_omp", plan.operator, array=plan.array),
    }
    receivers = {
        "none": Receiver(plan, constellation, estimators),
        "none, not looked for": Receiver(plan, constellation, estimators, max_user_frequency=0.0),
        "followed": Receiver(plan, constellation, estimators, max_user_frequency=2.5 * max(spread, 4e-4)),
        "not followed": Receiver(plan, constellation, estimators, max_user_frequency=0.0),
    }
    points = thzum.constellation_points(constellation)
    count, missed = plan.air.n_samples + 400, 0
    for i in range(frames):
        start, cfo = rng.uniform(150, 250), rng.uniform(-MAX_CFO, MAX_CFO)
        beams = choose_beams(h[i], plan.codebook, noise_var)
        sent = rng.integers(0, len(points), (plan.n_users, plan.n_data))
        at = (np.arange(count) - start) / air.step
        phase, own = own_phases(kind, spread, plan.n_users, at, rng)
        noise_seed = rng.integers(2**32)
        for name, receiver in receivers.items():
            has_own = "none" not in name
            if name in ("none", "followed"):
                y = air.samples(chain_gains(plan, h[i], beams), noise_var, start, cfo, count,
                                np.random.default_rng(noise_seed), points[sent], phase if has_own else 0.0)
            missed += not receiver.frame(y, h[i], beams, sent, noise_var, cfo + (own if has_own else 0.0))
    return dict(snr_db=snr_db, spread=spread, kind=kind, frames=frames, missed=missed, constellation=constellation,
                **{name: receiver.result() for name, receiver in receivers.items()})


def measure(frames=50, snrs=tuple(CONSTELLATIONS), spreads=SPREADS[1:]):
    """All figures as nested dictionaries; four channels a frame."""
    rows = [compare(frames, snr_db, spread) for snr_db in snrs for spread in spreads]
    rows += [compare(frames, snr_db, 2e-4, "walk") for snr_db in snrs]
    return {f"{row['snr_db']:.0f} dB, +-{row['spread']:.0e}" + (", walk" if row["kind"] == "walk" else ""): row
            for row in rows}


def report(results):
    """The figures as lines of text."""
    lines = ["Users with offsets of their own (cycles per symbol), four users a frame"]
    for name, row in results.items():
        lines.append(f"  {name}: {row['frames']} frames, {row['constellation']}, {row['missed']} receptions missed")
        for case in ("none", "none, not looked for", "followed", "not followed"):
            got = row[case]
            nmse = "  ".join(f"{key} {value:7.2f} dB" for key, value in got["nmse_db"].items())
            rate = "  ".join(f"{key} {value:.5f}" for key, value in got["symbol_error_rate"].items())
            lines.append(f"    {case:<21}: {nmse}  symbols wrong: {rate}  offset rms {got['offset_rms']:.1e}, "
                         f"followed in {got['followed']}")
    return "\n".join(lines)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--spreads", type=float, nargs="+", default=SPREADS[1:])
    parser.add_argument("--json")
    arguments = parser.parse_args()
    results = measure(arguments.frames, spreads=arguments.spreads)
    print(report(results))
    as_json.save(results, arguments.json)


if __name__ == "__main__":
    main()
