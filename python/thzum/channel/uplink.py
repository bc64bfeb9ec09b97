# SPDX-License-Identifier: GPL-3.0-or-later
"""The uplink at sample rate: users' samples in, RF chains' samples out. Float64 twin of thz_uplink_channel."""

import numpy as np

from .counter_noise import Effect, complex_normal
from .fractional_delay import checked_taps, delay_filter, latency
from .hardware import Hardware
from .hardware.checks import integer, real
from .hardware_options import hardware_options
from .paths import PathTable
from .response import subarray_waves
from .schedule import CombinerSchedule, plan_combiners

NORMALISATIONS = ("none", "mean", "each")
DELAY_REFERENCES = ("earliest", "user")

#: Longest delay of a path behind the reference, in samples.
MAX_DELAY = 1 << 16

#: Real and imaginary parts from here on count as bad samples: powers of them could leave the float range.
MAX_SAMPLE = 2.0**60


class UplinkChannel:
    """K users' streams through a THz multipath channel and analog combiners into S RF chains.

    At channel time t (a sample number, t = 0 is the first input sample), while combiner entry e and channel
    realisation b are in force,

        y_s(t) = sum_k sum_l g[s,k,l] exp(2j pi nu_l (t - t_b) / fs) x_k(t - (tau_l - tau_0) fs) + noise,
        g[s,k,l] = sum_n c_e[s,n] h_l[s,n],

    h_l being the response of the antennas to path l at the carrier (``subarray_waves``, with the carrier's
    phase after the whole delay) and t_b the first sample of the realisation, so that the table's own phases
    hold at t_b and a list drawn along a trajectory stays continuous. The Doppler phase is exact at every
    sample. What is neglected: the path's delay is that at the array origin for all subarrays, and a combiner's
    gain over the signal's bandwidth is that at the carrier (no beam squint).

    Delays between samples are made by a Kaiser-windowed sinc, see
    :func:`~gnuradio.thzum.channel.fractional_delay.delay_filter`; a delay of whole samples is exact. The filter
    looks ``latency`` samples ahead, so the output begins at channel time ``-latency``: output sample m belongs
    to channel time m - latency. Each path has a filter of its own (users' samples are filtered once for all RF
    chains); a filter per RF chain and user with all paths folded in would have to be renewed whenever Doppler
    or combiner change and would grow with the delay spread.

    The antenna noise is white, drawn for each RF chain and output sample with the variance noise_var * ||c||^2
    from a generator that is addressed by sample, so chunks do not matter.

    Args:
        array: the :class:`~gnuradio.thzum.array.SubarrayArray`.
        paths: a :class:`PathTable` of shape [B, K, L], or [K, L] for one realisation.
        combiners: table of combiner rows, complex [E, S, n] or [E, N], applied without conjugation.
        sample_rate: in Hz.
        schedule: a :class:`CombinerSchedule`; None is entry 0 for good.
        coherence_samples: samples after which the next realisation takes over, the first following the last;
            0 keeps the first.
        noise_var: antenna noise variance of a sample, >= 0.
        normalise: "none" leaves the path gains as they are, "mean" scales all by one factor so that ||h||^2 = N
            on average, "each" scales every user's channel in every realisation to ||h||^2 = N (power control).
        delay_reference: "earliest" counts delays from the earliest path of all users and realisations, "user"
            from each user's own earliest one (timing advance).
        delay_taps: taps of the interpolation, even, 4 to 32.
        hardware: a :class:`~gnuradio.thzum.channel.hardware.Hardware` or None. Its phase shifter acts on the
            combiners, the rest on the samples; the true channel excludes all of it.
        h_interval: samples between true channels; 0 gives them at every new realisation.
        h_offset: channel time of the first one, with an h_interval.
        seed: of the noise.

    Raises:
        ValueError: naming the argument, what was expected and what came.
    """

    def __init__(
        self, array, paths, combiners, sample_rate, schedule=None, coherence_samples=0, noise_var=0.0,
        normalise="none", delay_reference="earliest", delay_taps=16, hardware=None, h_interval=0, h_offset=0,
        seed=0,
    ):
        self.array = array
        self.paths = _checked_paths(paths)
        self.sample_rate = real("sample_rate", sample_rate, above=0)
        self.delay_taps = checked_taps(delay_taps)
        self.coherence_samples = integer("coherence_samples", coherence_samples, 0)
        self.noise_var = real("noise_var", noise_var, low=0)
        self.h_interval = integer("h_interval", h_interval, 0)
        self.h_offset = integer("h_offset", h_offset, 0)
        self.seed = integer("seed", seed, 0, 2**64 - 1)
        self.hardware = _checked_hardware(hardware)
        self.combiners = self._checked_combiners(combiners)
        self.schedule = CombinerSchedule() if schedule is None else schedule
        self._check_schedule(self.schedule)
        self._lay_out_delays(delay_reference)
        self._lay_out_gains(normalise)
        self.reset()

    @classmethod
    def from_plan(cls, plan, paths, sample_rate, beams=None, start=0, **options):
        """The channel in front of a ``pilot_receiver``: combiners and schedule are those of a pilot plan.

        Args:
            plan: a :class:`~gnuradio.thzum.frame.PilotPlan`.
            paths: as of the class, of plan.n_users users at most.
            sample_rate: in Hz.
            beams: code book indices [S] for the data part; None takes for each subarray the beam that collects
                most power of all users in the first realisation.
            start: channel time at which a frame begins.
            options: further arguments of the class.
        """
        if beams is None:
            waves = subarray_waves(plan.array, _checked_paths(paths)[0])
            h = waves.sum().reshape(-1, plan.n_subarrays, plan.n_elements)
            beams = np.argmax(np.sum(np.abs(h @ plan.codebook.T) ** 2, axis=0), axis=-1)
        schedule = CombinerSchedule.of_plan(plan, start)
        return cls(plan.array, paths, plan_combiners(plan, beams), sample_rate, schedule, **options)

    @property
    def n_users(self):
        """Users K, the number of inputs."""
        return self.paths.shape[1]

    @property
    def n_chains(self):
        """RF chains S, the number of outputs."""
        return self.array.n_subarrays

    @property
    def latency(self):
        """Samples by which the output lags behind the channel time."""
        return latency(self.delay_taps)

    @property
    def row_norms(self):
        """||c|| of the combiners in effect, float64 [E, S]."""
        return np.linalg.norm(self.effective_combiners, axis=-1)

    def reset(self):
        """Start over at channel time -latency, with the schedule given at construction."""
        self.bad_samples = 0
        self._time = -self.latency
        self._schedules = [(-np.inf, self.schedule)]
        self._history = np.zeros((self.n_users, self._reach), complex)
        if self.hardware is not None:
            self.hardware.reset()

    def set_schedule(self, schedule, sample=None):
        """From channel time ``sample`` on (None: from the next output) another schedule is in force.

        A change that was asked for a later sample before is dropped.
        """
        self._check_schedule(schedule)
        sample = self._time if sample is None else max(int(sample), self._time)
        self._schedules = [known for known in self._schedules if known[0] < sample] + [(sample, schedule)]

    def process(self, samples):
        """RF chains' samples complex128 [S, n] for the users' ``samples`` complex [K, n].

        Samples that are not finite, or 2^60 and more, are taken as zero and counted in ``bad_samples``. With a
        sampling offset the hardware returns another number of samples than n.
        """
        x = np.array(samples, complex)
        if x.ndim != 2 or len(x) != self.n_users:
            raise ValueError(f"samples: expected shape [{self.n_users}, n], one row per user, got {x.shape}")
        bad = ~((np.abs(x.real) < MAX_SAMPLE) & (np.abs(x.imag) < MAX_SAMPLE))
        x[bad] = 0
        self.bad_samples += int(bad.sum())
        if self.hardware is not None:
            x = self.hardware.transmit(x)
        y = self._propagate(x) + self._antenna_noise(x.shape[1])
        self._time += x.shape[1]
        return y if self.hardware is None else self.hardware.receive(y)

    def true_channel(self, sample):
        """Channels complex128 [K, N] at channel time ``sample``: no combiner, no hardware, at the carrier."""
        realisation, age = (int(value) for value in self._realisation_at(np.asarray(sample)))
        turned = self._waves(realisation)
        turned.gain = turned.gain * self._doppler(realisation, age)[..., None]
        return turned.sum().reshape(self.n_users, self.array.n_antennas)

    def channel_samples(self, first, last):
        """Channel times in [first, last) at which true channels are due, a list."""
        step = self.h_interval or self.coherence_samples
        start = self.h_offset if self.h_interval else 0
        if step == 0:
            return [0] if first <= 0 < last else []
        return list(range(max(start, start - (start - first) // step * step), last, step))

    def parameters(self):
        """The same channel for C++: ``thzum.uplink_parameters``."""
        from ..thzum_python import uplink_parameters

        waves = self._waves(slice(None))
        return uplink_parameters(
            n_subarrays=self.n_chains,
            rows=self.array.rows,
            cols=self.array.cols,
            gain=waves.gain.astype(np.complex64),
            along_y=waves.along_y.astype(np.complex64),
            along_x=waves.along_x.astype(np.complex64),
            delay=self.delay,
            doppler=self.paths.doppler / self.sample_rate,
            delay_taps=self.delay_taps,
            combiners=self.effective_combiners.astype(np.complex64),
            entries=list(self.schedule.entries),
            lengths=list(self.schedule.lengths),
            start=self.schedule.start,
            coherence_samples=self.coherence_samples,
            noise_var=self.noise_var,
            h_interval=self.h_interval,
            h_offset=self.h_offset,
            seed=self.seed,
            sample_rate=self.sample_rate,
            hardware=hardware_options(self.hardware, self.sample_rate),
        )

    def _propagate(self, x):
        signal = np.concatenate([self._history, x], axis=1)
        time = np.arange(self._time, self._time + x.shape[1])
        realisation, age = self._realisation_at(time)
        entry = self._entry_at(time)
        y = np.zeros((self.n_chains, len(time)), complex)
        for b in np.unique(realisation):
            at = np.flatnonzero(realisation == b)
            for k in range(self.n_users):
                gain = self._combined(b, k)
                for path in np.flatnonzero(self.paths.amplitude[b, k]):
                    late = self._delayed(signal[k], at, b, k, path)
                    late = late * np.exp(2j * np.pi * np.remainder(self._cycles(b, age[at])[..., k, path], 1.0))
                    y[:, at] += gain[path][:, entry[at]] * late
        self._history = signal[:, x.shape[1] :]
        return y

    def _delayed(self, signal, at, b, k, path):
        """x(t - delay) of the outputs number ``at``; signal[reach + i] is input i of this call."""
        whole, weights = self._whole[b, k, path], self._weights[b, k, path]
        newest = at + self._reach - whole
        return sum(weight * signal[newest - j] for j, weight in enumerate(weights))

    def _combined(self, b, user):
        return self._waves((b, user)).combined(self.effective_combiners)

    def _antenna_noise(self, count):
        first = self._time + self.latency
        noise = [complex_normal(self.seed, Effect.THERMAL, s, first, count) for s in range(self.n_chains)]
        entry = self._entry_at(np.arange(self._time, self._time + count))
        return np.sqrt(self.noise_var) * self.row_norms[entry].T * np.array(noise)

    def _realisation_at(self, time):
        """Number of the realisation and samples since it took over."""
        if self.coherence_samples == 0:
            return np.zeros(time.shape, int), time
        block = np.maximum(time // self.coherence_samples, 0)
        return block % self.paths.shape[0], time - block * self.coherence_samples

    def _cycles(self, b, age):
        return np.multiply.outer(age, self.paths.doppler[b] / self.sample_rate)

    def _doppler(self, b, age):
        return np.exp(2j * np.pi * np.remainder(self._cycles(b, age), 1.0))

    def _entry_at(self, time):
        entry = np.zeros(len(time), int)
        for sample, schedule in self._schedules:
            later = time >= sample
            entry[later] = schedule.entry_at(time[later])
        return entry

    def _waves(self, index):
        waves = subarray_waves(self.array, self.paths[index])
        waves.gain = waves.gain * self._scale[index][..., None, None]
        return waves

    def _lay_out_delays(self, reference):
        if reference not in DELAY_REFERENCES:
            raise ValueError(f"delay_reference: expected one of {DELAY_REFERENCES}, got {reference!r}")
        delay = np.where(self.paths.amplitude != 0, self.paths.delay, np.inf)
        axes = None if reference == "earliest" else (0, 2)
        earliest = np.min(delay, axis=axes, keepdims=True)
        #: Delay in s that counts as zero, float64 [K].
        self.reference_delay = np.broadcast_to(earliest[0, :, 0], (self.n_users,)).copy()
        #: Delays in samples behind the reference, float64 [B, K, L].
        self.delay = np.where(np.isfinite(delay), delay - earliest, 0.0) * self.sample_rate
        if np.max(self.delay) > MAX_DELAY:
            raise ValueError(
                f"paths: expected delays within {MAX_DELAY} samples of the reference, got {np.max(self.delay):g}; "
                'lower the sample_rate or set delay_reference to "user"'
            )
        self._whole = np.floor(self.delay).astype(int)
        self._weights = delay_filter(self.delay - self._whole, self.delay_taps)
        self._reach = int(self._whole.max()) + self.delay_taps

    def _lay_out_gains(self, normalise):
        if normalise not in NORMALISATIONS:
            raise ValueError(f"normalise: expected one of {NORMALISATIONS}, got {normalise!r}")
        self._scale = np.ones(self.paths.shape[:2])
        if normalise == "none":
            return
        # One realisation at a time: the channels of all of them may not fit into memory.
        channels = (self._waves(b).sum() for b in range(len(self._scale)))
        power = np.array([np.sum(np.abs(h) ** 2, axis=(-3, -2, -1)) for h in channels])
        power = np.full_like(power, power.mean()) if normalise == "mean" else power
        if not np.all(power > 0):
            raise ValueError('normalise: expected channels with power, got one of zero; use "mean" or "none"')
        self._scale = np.sqrt(self.array.n_antennas / power)

    def _checked_combiners(self, combiners):
        table = np.asarray(combiners)
        n_elements = self.array.rows * self.array.cols
        wanted = (self.n_chains, n_elements)
        if table.ndim == 2:
            table = table.reshape(len(table), self.n_chains, -1) if table.shape[1] == np.prod(wanted) else table
        if table.ndim != 3 or table.shape[1:] != wanted or len(table) == 0:
            raise ValueError(
                f"combiners: expected shape [entries, {self.n_chains}, {n_elements}] as the array has, "
                f"got {np.shape(combiners)}"
            )
        if not np.isfinite(table).all():
            raise ValueError("combiners: expected finite numbers, got NaN or infinity")
        table = table.astype(complex)
        by_subarray = np.swapaxes(table, 0, 1)
        #: What acts in place of ``combiners``, with the phase shifters' errors, complex128 [E, S, n].
        self.effective_combiners = (
            table if self.hardware is None else np.swapaxes(self.hardware.combine(by_subarray), 0, 1)
        )
        return table

    def _check_schedule(self, schedule):
        if not isinstance(schedule, CombinerSchedule):
            raise ValueError(f"schedule: expected a CombinerSchedule, got {type(schedule).__name__}")
        if max(schedule.entries) >= len(self.combiners):
            raise ValueError(
                f"schedule: expected entries below {len(self.combiners)}, the number of combiners, "
                f"got {max(schedule.entries)}"
            )


def _checked_paths(paths):
    if not isinstance(paths, PathTable):
        raise ValueError(f"paths: expected a PathTable, got {type(paths).__name__}")
    if len(paths.shape) not in (2, 3) or 0 in paths.shape:
        raise ValueError(f"paths: expected shape [realisations, users, paths] or [users, paths], got {paths.shape}")
    for name in ("amplitude", "delay", "phase", "doppler"):
        if not np.isfinite(getattr(paths, name)).all():
            raise ValueError(f"paths: expected finite values, got NaN or infinity in {name}")
    if not np.any(paths.amplitude):
        raise ValueError("paths: expected a path of some amplitude, got zeros only")
    return paths if len(paths.shape) == 3 else paths[None]


def _checked_hardware(hardware):
    if hardware is not None and not isinstance(hardware, Hardware):
        raise ValueError(f"hardware: expected a Hardware or None, got {type(hardware).__name__}")
    return hardware
