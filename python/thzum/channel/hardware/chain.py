# SPDX-License-Identifier: GPL-3.0-or-later
"""All hardware models of a link in physical order."""

from dataclasses import asdict, dataclass, fields

import numpy as np

from .converter import Adc, SamplingOffset
from .frontend import IqImbalance, PhaseShifter, RappAmplifier
from .oscillator import FrequencyOffset, PhaseNoise, UserPhaseNoise

_TRANSMIT_ORDER = ("user_frequency_offset", "user_phase_noise", "power_amplifier")
_RECEIVE_ORDER = (
    "low_noise_amplifier",
    "frequency_offset",
    "phase_noise",
    "iq_imbalance",
    "sampling_offset",
    "adc",
)


@dataclass
class Hardware:
    """The impairments of transmitters, array and receiver; each is a model, or None where it is ideal.

    Users' samples pass :meth:`transmit`, which applies frequency offset, phase noise and power amplifier;
    combiners pass :meth:`combine`; and the RF chains' samples with the antenna noise in them pass
    :meth:`receive`, which applies in this order: low-noise amplifier, frequency offset, phase noise,
    I/Q imbalance, sampling clock, ADC.

    >>> config = {"adc": {"bits": 4}, "phase_noise": {"k0": 1e-11}}
    >>> hardware = Hardware.from_dict(config, sample_rate=1e9)
    >>> hardware.receive(np.zeros((4, 100), np.complex64)).shape
    (4, 100)
    """

    user_frequency_offset: FrequencyOffset | None = None
    user_phase_noise: UserPhaseNoise | None = None
    power_amplifier: RappAmplifier | None = None
    phase_shifter: PhaseShifter | None = None
    low_noise_amplifier: RappAmplifier | None = None
    frequency_offset: FrequencyOffset | None = None
    phase_noise: PhaseNoise | None = None
    iq_imbalance: IqImbalance | None = None
    sampling_offset: SamplingOffset | None = None
    adc: Adc | None = None

    def __post_init__(self):
        seen = set()
        for name, kind in _models().items():
            model = getattr(self, name)
            if model is not None and not isinstance(model, kind):
                raise ValueError(f"{name}: expected {kind.__name__} or None, got {type(model).__name__}")
            if model is not None and id(model) in seen:
                raise ValueError(f"{name}: expected a model of its own, got one that is used twice")
            seen.add(id(model))

    @classmethod
    def from_dict(cls, config, sample_rate=None):
        """Hardware from nested dictionaries, as read from YAML or JSON.

        Args:
            config: {model: {parameter: value}}; a model that is missing, None or False is ideal.
            sample_rate: in Hz, for the models that need one and do not state their own.

        Raises:
            ValueError: an unknown model or parameter, one that is missing, or a value out of range.
        """
        kinds = _models()
        if not isinstance(config, dict):
            raise ValueError(f"config: expected a dictionary, got {type(config).__name__}")
        _refuse_unknown("config", config, kinds)
        chosen = {name: given for name, given in config.items() if given is not None and given is not False}
        return cls(**{name: _built(name, kinds[name], given, sample_rate) for name, given in chosen.items()})

    def to_dict(self):
        """The nested dictionaries from which :meth:`from_dict` makes the same hardware."""
        models = {name: getattr(self, name) for name in _models()}
        return {name: asdict(model) for name, model in models.items() if model is not None}

    def transmit(self, samples):
        """What the users' transmitters send for ``samples``, complex [K, n]."""
        return self._apply(_TRANSMIT_ORDER, np.array(samples))

    def combine(self, combiner):
        """The combiner in effect for the one asked for, complex [S, Q, n]."""
        return np.array(combiner) if self.phase_shifter is None else self.phase_shifter(combiner)

    def receive(self, samples):
        """What the converters deliver for the RF chains' ``samples``, complex [S, n].

        With a sampling offset the number of samples differs, see :class:`SamplingOffset`.
        """
        return self._apply(_RECEIVE_ORDER, np.array(samples))

    def flush(self):
        """The samples still due at the end of a stream, complex [S, n]; then reset.

        Raises:
            ValueError: there is no sampling offset, so nothing is held back, or no stream has begun.
        """
        if self.sampling_offset is None:
            raise ValueError("flush: expected a sampling_offset, which alone holds samples back")
        tail = self._apply(("adc",), self.sampling_offset.flush())
        self.reset()
        return tail

    def reset(self):
        """Start every model over."""
        for name in _TRANSMIT_ORDER + _RECEIVE_ORDER:
            if getattr(self, name) is not None:
                getattr(self, name).reset()

    def _apply(self, names, samples):
        for name in names:
            if getattr(self, name) is not None:
                samples = getattr(self, name)(samples)
        return samples


def _models():
    """Class of each model of :class:`Hardware` by its name."""
    return {field.name: field.type.__args__[0] for field in fields(Hardware)}


def _refuse_unknown(where, given, known):
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ValueError(f"{where}: expected keys among {sorted(known)}, got {unknown[0]!r}")


def _built(name, kind, given, sample_rate):
    if isinstance(given, kind):
        return given
    if not isinstance(given, dict):
        raise ValueError(f"{name}: expected a dictionary of parameters, None or False, got {given!r}")
    known = {field.name for field in fields(kind)}
    _refuse_unknown(name, given, known)
    parameters = dict(given)
    if "sample_rate" in known and sample_rate is not None:
        parameters.setdefault("sample_rate", sample_rate)
    try:
        return kind(**parameters)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from error
