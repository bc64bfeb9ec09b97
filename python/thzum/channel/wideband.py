# SPDX-License-Identifier: GPL-3.0-or-later
"""Wideband channels: responses over subcarriers with beam squint, impulse responses and taps of the RF chains."""

import numpy as np

from .hardware.checks import integer, real
from .response import response, subarray_rays, subarray_waves


def subcarrier_frequencies(carrier_frequency, bandwidth, n_subcarriers):
    """Frequencies of an OFDM grid in Hz, float64 [F], ascending: f_c + (k - F // 2) bandwidth / F.

    Subcarrier F // 2 lies on the carrier.

    Raises:
        ValueError: a bandwidth that is not positive or exceeds the carrier.
    """
    carrier_frequency = real("carrier_frequency", carrier_frequency, above=0)
    bandwidth, count = real("bandwidth", bandwidth, above=0), integer("n_subcarriers", n_subcarriers, 1)
    _check_width("bandwidth", bandwidth, carrier_frequency)
    return carrier_frequency + (np.arange(count) - count // 2) * (bandwidth / count)


def checked_band(array, frequencies):
    """``frequencies`` as float64 [F] in Hz; ValueError unless they are positive and span no more than the carrier."""
    try:
        frequencies = np.asarray(frequencies, float)
    except (TypeError, ValueError):
        raise ValueError(f"frequencies: expected an array [F] in Hz, got {frequencies!r}") from None
    if frequencies.ndim != 1 or not frequencies.size:
        raise ValueError(f"frequencies: expected an array [F] in Hz, got shape {frequencies.shape}")
    if not np.isfinite(frequencies).all():
        raise ValueError("frequencies: expected finite Hz, got NaN or infinity")
    _check_width("frequencies", np.ptp(frequencies), array.carrier_frequency)
    if not np.all(frequencies > 0):
        raise ValueError(f"frequencies: expected positive Hz, got {frequencies.min():g}")
    return frequencies


def combiner_at(array, combiner, frequencies):
    """Weights [F, S, n] at ``frequencies`` of a combiner [S, n], [F, S, n] or an object with ``combiner(f)``."""
    if hasattr(combiner, "combiner"):
        combiner = combiner.combiner(frequencies)
    weights = np.asarray(combiner)
    size = (array.n_subarrays, array.rows * array.cols)
    if weights.shape not in (size, (len(frequencies), *size)) or weights.dtype.kind not in "iufc":
        raise ValueError(
            f"combiner: expected numbers of shape {size} as [S, n], or {(len(frequencies), *size)} as [F, S, n], "
            f"got {weights.dtype} of shape {weights.shape}"
        )
    if not np.isfinite(weights).all():
        raise ValueError("combiner: expected finite weights, got NaN or infinity")
    return np.broadcast_to(weights, (len(frequencies), *size))


def frequency_response(array, paths, frequencies, combiner=None, time=0.0, wavefront="auto", resolution="subarray"):
    """Channels over a band, complex128: [..., F, N] at the antennas or [..., F, S] behind a combiner; not normalised.

    The value at frequency f contains the whole phase -2 pi f delay of each path. Behind a combiner,
    y[s] = sum_n w[s, n] h[s, n] without conjugation.

    Args:
        array: the :class:`~gnuradio.thzum.array.SubarrayArray`.
        paths: a :class:`PathTable` of shape [..., L].
        frequencies: [F] in Hz, such as :func:`subcarrier_frequencies`.
        combiner: complex [S, n], or [F, S, n] where it depends on frequency, or an object with a method
            ``combiner(frequencies)`` such as a :class:`TtdSetting`; None gives every antenna.
        time: in s, for the Doppler shifts.
        wavefront, resolution: see :func:`response`.

    Raises:
        ValueError: a band wider than the carrier, a combiner of another shape, and what :func:`response` refuses.
    """
    frequencies = checked_band(array, frequencies)
    options = dict(time=time, wavefront=wavefront, resolution=resolution, normalise=False, dtype=np.complex128)
    if combiner is None:
        return response(array, paths, frequencies, **options)
    weights = combiner_at(array, combiner, frequencies)
    if resolution != "subarray":
        h = response(array, paths, frequencies, **options)
        return np.sum(weights * h.reshape(*h.shape[:-1], *weights.shape[1:]), axis=-1)
    rays = subarray_rays(array, paths, wavefront)
    parts = [_combined(rays.waves(array, paths, f, time), w).sum(axis=-2) for f, w in zip(frequencies, weights)]
    return np.stack(parts, axis=-2)


def impulse_response(array, paths, combiner=None, time=0.0, wavefront="auto"):
    """Paths as echoes: delay and gain at the carrier, before any band limit.

    Returns:
        delay: float64 [..., L] in s at the array origin.
        gain: complex128 [..., L, S] behind the combiner [S, n], or [..., L, N] at the antennas.

    The baseband response is sum_l gain_l delta(t - delay_l): the carrier's phase is in the gain. That is accurate while the array is short against c / bandwidth; :func:`effective_taps` has no such limit.
    """
    waves = subarray_waves(array, paths, None, time, wavefront)
    if combiner is not None:
        carrier = np.array([array.carrier_frequency])
        return paths.delay, _combined(waves, combiner_at(array, combiner, carrier)[0])
    return paths.delay, waves.per_path().reshape(*paths.shape, array.n_antennas)


def raised_cosine(frequency, sample_rate, rolloff):
    """Spectrum of the raised-cosine pulse at baseband ``frequency`` in Hz.

    The symbol rate is sample_rate / (1 + rolloff). The spectrum is 1 at the centre and ends at +- sample_rate / 2;
    a rolloff of 0 is the ideal low pass (sinc pulse), 1 throughout.
    """
    rate = sample_rate / (1 + rolloff)
    edge = np.abs(frequency) / rate - 0.5 * (1 - rolloff)
    if rolloff == 0:
        return (np.abs(frequency) <= 0.5 * sample_rate * (1 + 1e-12)).astype(float)
    return np.where(edge <= 0, 1.0, 0.5 * (1 + np.cos(np.pi * np.clip(edge / rolloff, 0, 1))))


def effective_taps(
    array, paths, sample_rate, n_taps, combiner=None, rolloff=0.0, lead=None, delay_reference=None,
    time=0.0, wavefront="auto", resolution="subarray",
):
    """Taps of the band-limited channel, complex128 [..., S, T] behind a combiner or [..., N, T] at the antennas.

    The channel's response on the T bins of ``sample_rate`` around the carrier, beam squint and delays over the
    array included, times a raised-cosine spectrum, by an inverse DFT. Tap ``lead`` is the time
    ``delay_reference``, so y[m] = sum_k taps[k] x[m + lead - k]. The energy of the taps is the mean of the
    squared response over the bins (Parseval). A path between two samples spreads over the taps around it, more
    widely so with a small rolloff, and what reaches beyond either end comes back at the other.

    Args:
        array, paths, time, wavefront, resolution: see :func:`frequency_response`.
        sample_rate: in Hz, at most the carrier.
        n_taps: T, enough for ``lead`` and the spread of the delays.
        combiner: see :func:`frequency_response`; [F, S, n] has its frequencies ascending as in
            :func:`subcarrier_frequencies` (carrier, sample_rate, T).
        rolloff: of the pulse in [0, 1], see :func:`raised_cosine`.
        lead: taps before the reference, for the pulse's front and elements nearer than the origin; by default
            a quarter of the taps, eight at most.
        delay_reference: in s, a number or [...]; by default the shortest delay of each channel.

    Raises:
        ValueError: a sample rate above the carrier, taps too few for the delays, and wrong arguments.
    """
    sample_rate, n_taps = real("sample_rate", sample_rate, above=0), integer("n_taps", n_taps, 1)
    _check_width("sample_rate", sample_rate, array.carrier_frequency)
    rolloff = real("rolloff", rolloff, low=0, high=1)
    lead = min(8, n_taps // 4) if lead is None else integer("lead", lead, 0, n_taps - 1)
    reference = _reference(paths, delay_reference, sample_rate, n_taps, lead)
    frequencies = subcarrier_frequencies(array.carrier_frequency, sample_rate, n_taps)
    h = frequency_response(array, paths, frequencies, combiner, time, wavefront, resolution)
    baseband = frequencies - array.carrier_frequency
    shift = np.exp(2j * np.pi * np.remainder(baseband * (reference[..., None] - lead / sample_rate), 1.0))
    shaped = h * (shift * raised_cosine(baseband, sample_rate, rolloff))[..., None]
    return np.fft.ifft(np.fft.ifftshift(np.moveaxis(shaped, -2, -1), axes=-1), axis=-1)


def _combined(waves, weights):
    """Paths behind one combiner [S, n], complex128 [..., L, S]."""
    return waves.combined(weights[None])[..., 0]


def _reference(paths, delay_reference, sample_rate, n_taps, lead):
    """Delay in s that falls on tap ``lead``, float64 [...] of the channels."""
    heard = paths.amplitude > 0
    if delay_reference is None:
        earliest = np.min(np.where(heard, paths.delay, np.inf), axis=-1)
        reference = np.where(np.isfinite(earliest), earliest, 0.0)
    else:
        reference = np.asarray(delay_reference, float)
        try:
            reference = np.broadcast_to(reference, paths.shape[:-1])
        except ValueError:
            wanted = paths.shape[:-1]
            raise ValueError(f"delay_reference: expected a number or {wanted}, got shape {reference.shape}") from None
    tap = np.where(heard, np.round((paths.delay - reference[..., None]) * sample_rate), 0.0) + lead
    if not np.all(tap >= 0):
        raise ValueError(
            f"delay_reference: expected at most {lead} samples (lead) after the first path, got one {-tap.min():g} "
            "samples before the first tap"
        )
    if not np.all(tap < n_taps):
        raise ValueError(f"n_taps: expected at least {int(tap.max()) + 1} for lead and delay spread, got {n_taps}")
    return reference


def _check_width(name, width, carrier_frequency):
    if width > carrier_frequency:
        raise ValueError(
            f"{name}: expected a band at most as wide as the carrier of {carrier_frequency:g} Hz, got {width:g} Hz"
        )
