# SPDX-License-Identifier: GPL-3.0-or-later
"""Frame synchronisation: detection, false alarms, and what it costs the channel estimate."""

import argparse
import time

import numpy as np
from gnuradio import thzum
from gnuradio.thzum.frame import PilotPlan, despread

import as_json

ARRAY = "thz300_aosa4x256"
MAX_CFO = 0.2  # cycles per symbol


def air_plan(**options):
    """The plan of the measurements: 4 x 256 antennas, 128 slots, 4 users, 2 samples per symbol."""
    return PilotPlan(ARRAY, n_slots=128, **(dict(n_data=192, modulations="qpsk", samples_per_symbol=2) | options))


def chain_gains(plan, h, beams=None):
    """Gains of the RF chains complex [S, Q + 1, K] for channels ``h`` [K, N], the data beams behind the pilots'.

    ``beams`` [S] are rows of the code book; None takes beam 0 for all.
    """
    h = h.reshape(-1, plan.n_subarrays, plan.n_elements)
    data = plan.codebook[np.zeros(plan.n_subarrays, int) if beams is None else beams]
    return np.einsum("sen,ksn->sek", np.concatenate([plan.combiner, data[:, None]], axis=1), h)


class Air:
    """Frames of users through given chain gains into samples, in NumPy, with the pulse at any instant."""

    def __init__(self, plan):
        self.plan, self.air, self.step = plan, plan.air, plan.samples_per_symbol
        entries, lengths = self.air.schedule()
        self.entry = np.repeat(entries, lengths)
        half = self.air.span // 2
        self.offsets = np.arange(-half - 1, half + 2)
        at_samples = np.arange(-half * self.step, half * self.step + 1) / self.step
        self.scale = 1 / np.sqrt(np.sum(self.pulse(at_samples) ** 2))
        self.known = np.array([self.air.known_symbols(k) for k in range(plan.n_users)], complex)
        self.data = np.array([self.air.data_symbol(i) for i in range(plan.n_data)], int)

    def pulse(self, t):
        """Root-raised-cosine pulse at ``t`` symbols, zero beyond half its span."""
        b, half = self.air.rolloff, self.air.span / 2
        t = np.where(np.abs(np.abs(4 * b * t) - 1) < 1e-9, t + 1e-7, t)
        t = np.where(np.abs(t) < 1e-9, 1e-7, t)
        numerator = np.sin(np.pi * t * (1 - b)) + 4 * b * t * np.cos(np.pi * t * (1 + b))
        return np.where(np.abs(t) <= half, numerator / (np.pi * t * (1 - (4 * b * t) ** 2)), 0)

    def samples(self, gains, noise_var, start, cfo, count, rng, data=None, user_phase=0.0):
        """Samples [S, count] of a frame that begins at ``start``; ``cfo`` in cycles per symbol.

        ``data`` [K, n_data] are QPSK of ``rng`` by default, ``user_phase`` [K, count] the phase in radians by which
        each user's samples turn.
        """
        at = (np.arange(count) - start) / self.step
        symbols = self.known.copy()
        if data is None:
            data = np.exp(0.5j * np.pi * (rng.integers(0, 4, (len(symbols), len(self.data))) + 0.5))
        symbols[:, self.data] = data
        nearest = np.round(at).astype(int)
        x = np.zeros((len(symbols), count), complex)
        for offset in self.offsets:
            m = nearest + offset
            inside = (0 <= m) & (m < self.air.n_symbols)
            x[:, inside] += self.scale * self.pulse(at[inside] - m[inside]) * symbols[:, m[inside]]
        x *= np.exp(1j * np.asarray(user_phase))
        entry = self.entry[np.clip(np.floor(np.arange(count) - start).astype(int), 0, len(self.entry) - 1)]
        y = np.einsum("stk,kt->st", gains[:, entry], x)
        y *= np.exp(2j * np.pi * cfo / self.step * np.arange(count))
        noise = rng.standard_normal((2, *y.shape))
        return y + np.sqrt(noise_var / 2) * (noise[0] + 1j * noise[1])

    def perfect(self, y, start, cfo):
        """Symbols [S, n_received] of a receiver that knows everything."""
        y = y * np.exp(-2j * np.pi * cfo / self.step * np.arange(y.shape[1]))
        instants = start + self.step * np.asarray(self.air.received_symbols)
        reach = self.air.span * self.step // 2
        out = np.zeros((len(y), len(instants)), complex)
        whole = np.floor(instants).astype(int)
        for i in range(-reach, reach + 2):
            out += y[:, whole + i] * self.scale * self.pulse((whole + i - instants) / self.step)
        return out


def upper_limit(events, trials):
    """Upper end of the 95 % confidence interval of a probability (Clopper and Pearson)."""
    from scipy.stats import beta

    return 1.0 if events == trials else float(beta.ppf(0.975, events + 1, trials - events))


def lower_limit(events, trials):
    """Lower end of the 95 % confidence interval of a probability (Clopper and Pearson)."""
    from scipy.stats import beta

    return 0.0 if events == 0 else float(beta.ppf(0.025, events, trials - events + 1))


def detection(frames, snr_db=0.0, n_users=1, seed=1):
    """Preambles found among ``frames``, each of a new channel, noise, offset and place.

    The SNR is that of one user's pilots per antenna after despreading, so a sample has it less 10 lg of the
    pilots' chips. Only ``n_users`` of the plan's users send: one is the hardest case.
    """
    plan = air_plan(n_data=0)
    air, rng = Air(plan), np.random.default_rng(seed)
    h = thzum.channel.preset(ARRAY).sample(frames * n_users, seed=seed).reshape(frames, n_users, -1)
    noise_var = plan.n_users * 10 ** (-snr_db / 10)
    found, length = 0, plan.air.n_samples + 400
    sync = thzum.frame_synchronizer(plan.air, plan.n_subarrays)
    for i in range(frames):
        gains = np.zeros((plan.n_subarrays, plan.n_slots + 1, plan.n_users), complex)
        gains[..., :n_users] = chain_gains(plan, h[i])
        start, cfo = rng.uniform(50, 150), rng.uniform(-MAX_CFO, MAX_CFO)
        y = air.samples(gains, noise_var, start, cfo, length, rng)
        sync.restart()
        got = sync.process(y)
        # Right to a symbol; a wrong place is no detection.
        found += len(got) == 1 and abs(got[0]["instant"] - start) <= air.step
    return dict(snr_db=snr_db, users=n_users, frames=frames, found=int(found), rate=found / frames,
                lower=lower_limit(found, frames))


def false_alarms(frames, seed=2):
    """Preambles found in noise alone, a stretch of a frame's length counting as a frame."""
    plan = air_plan()
    rng = np.random.default_rng(seed)
    sync = thzum.frame_synchronizer(plan.air, plan.n_subarrays)
    count, alarms, n = 0, 0, plan.air.n_samples
    before = time.process_time()
    for _ in range(frames):
        noise = rng.standard_normal((plan.n_subarrays, 2 * n), np.float32).view(np.complex64)
        sync.process(noise)
        if sync.pending():
            alarms += 1
            sync.restart()
        count += 1
    seconds = time.process_time() - before
    return dict(frames=count, alarms=alarms, upper=upper_limit(alarms, count),
                samples_per_second=count * n / seconds)


def speed(frames=40, snr_db=15.0, seed=4):
    """Samples per second and RF chain, in thread time, through frames of all users without pause."""
    plan = air_plan()
    air, rng = Air(plan), np.random.default_rng(seed)
    gains = chain_gains(plan, thzum.channel.preset(ARRAY).sample(plan.n_users, seed=seed))
    noise_var = plan.n_users * 10 ** (-snr_db / 10)
    y = np.concatenate([air.samples(gains, noise_var, 0, 0.1, plan.air.n_samples, rng) for _ in range(frames)], axis=1)
    sync = thzum.frame_synchronizer(plan.air, plan.n_subarrays)
    before = time.thread_time()
    found = len(sync.process(y))
    return dict(frames=frames, found=found, samples_per_second=y.shape[1] / (time.thread_time() - before))


def aligned_nmse(h_hat, h):
    """||h_hat - h||^2 / ||h||^2 [K] after turning h_hat by the phase that a receiver cannot know."""
    turn = np.exp(1j * np.angle(np.sum(h_hat.conj() * h, axis=1)))
    h_hat = h_hat * turn[:, None]
    return np.sum(np.abs(h_hat - h) ** 2, axis=1) / np.sum(np.abs(h) ** 2, axis=1)


def estimation_loss(frames, snr_db, algorithms=("newtonized_omp", "fpn_oamp"), seed=3):
    """NMSE in dB behind the synchroniser and behind perfect synchronisation, on the same samples.

    Four users send. Their common phase is taken out of both errors, since a phase of all antennas alike has no
    meaning without a reference.
    """
    plan = air_plan()
    air, rng = Air(plan), np.random.default_rng(seed)
    h = thzum.channel.preset(ARRAY).sample(frames * plan.n_users, seed=seed).reshape(frames, plan.n_users, -1)
    noise_var = plan.n_users * 10 ** (-snr_db / 10)
    estimators = {name: thzum.estimator(name, plan.operator, **_options(name, plan)) for name in algorithms}
    errors = {name: ([], []) for name in algorithms}
    missed, offset, timing = 0, [], []
    for i in range(frames):
        start, cfo = rng.uniform(150, 250), rng.uniform(-MAX_CFO, MAX_CFO)
        y = air.samples(chain_gains(plan, h[i]), noise_var, start, cfo, plan.air.n_samples + 400, rng)
        frames_found = thzum.frame_synchronizer(plan.air, plan.n_subarrays).process(y)
        if len(frames_found) != 1:
            missed += 1
            continue
        offset.append(frames_found[0]["cfo"] - cfo)
        timing.append((frames_found[0]["instant"] - start) / air.step)
        for which, symbols in enumerate((frames_found[0]["symbols"], air.perfect(y, start, cfo))):
            pilots = despread(plan, symbols[:, plan.pilot_offset : plan.data_offset]).astype(np.complex64)
            for name, estimator in estimators.items():
                estimate = estimator.estimate(pilots, noise_var / plan.n_users)[0]
                errors[name][which].extend(aligned_nmse(estimate, h[i]))
    rows = []
    for name, (sync, perfect) in errors.items():
        means = [10 * np.log10(np.mean(e, dtype=float)) for e in (sync, perfect)]
        rows.append(dict(snr_db=snr_db, algorithm=name, frames=frames, missed=missed, nmse_db=means[0],
                         perfect_nmse_db=means[1], loss_db=means[0] - means[1],
                         cfo_rms=float(np.sqrt(np.mean(np.square(offset)))),
                         timing_rms=float(np.sqrt(np.mean(np.square(timing))))))
    return rows


def _options(name, plan):
    return dict(array=plan.array) if name == "newtonized_omp" else {}


def measure(frames=1000, noise_frames=30000, loss_frames=50):
    """All figures as nested dictionaries."""
    found = [detection(frames, snr_db, users) for snr_db, users in ((0.0, 1), (0.0, 4), (-3.0, 1))]
    losses = [row for snr_db in (0.0, 10.0, 20.0) for row in estimation_loss(loss_frames, snr_db)]
    return {
        "detection": {f"{row['snr_db']:+.0f} dB, {row['users']} of 4 users": row for row in found},
        "false_alarms": false_alarms(noise_frames),
        "speed": speed(min(frames, 40)),
        "loss": {f"{row['algorithm']} at {row['snr_db']:.0f} dB": row for row in losses},
    }


def report(results):
    """The figures as lines of text."""
    lines = ["Frame synchronisation, offset up to 20 % of the symbol rate"]
    for name, row in results["detection"].items():
        lines.append(f"  detection at {name}: {row['found']} of {row['frames']}, above {100 * row['lower']:.2f} % (95 %)")
    row = results["false_alarms"]
    lines.append(f"  false alarms: {row['alarms']} in {row['frames']} frames of noise, below {row['upper']:.1e} "
                 f"(95 %); {row['samples_per_second'] / 1e6:.2f} Msample/s per chain")
    row = results["speed"]
    lines.append(f"  within frames: {row['samples_per_second'] / 1e6:.2f} Msample/s per chain, "
                 f"{row['found']} of {row['frames']} found")
    for name, row in results["loss"].items():
        lines.append(f"  {name:<24}: {row['nmse_db']:6.2f} dB, perfect {row['perfect_nmse_db']:6.2f}, "
                     f"loss {row['loss_db']:+.2f}; offset {row['cfo_rms']:.1e} cycles, timing {row['timing_rms']:.4f} "
                     f"symbols rms, {row['missed']} of {row['frames']} missed")
    return "\n".join(lines)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--noise-frames", type=int, default=30000)
    parser.add_argument("--loss-frames", type=int, default=50)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    results = measure(arguments.frames, arguments.noise_frames, arguments.loss_frames)
    print(report(results))
    as_json.save(results, arguments.json)


if __name__ == "__main__":
    main()
