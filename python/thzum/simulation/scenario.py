# SPDX-License-Identifier: GPL-3.0-or-later
"""What is simulated: a channel model and how its pilots are taken."""

from dataclasses import asdict, dataclass, field

import numpy as np

from ..channel import ChannelConfig, HybridFieldChannel, presets
from ..channel.hardware.checks import integer, real
from ..channel.keys import mapping, one_of
from ..channel.native import native_model
from ..thzum_python import pilot_operator
from .entries import from_name_or_dict
from .plain import plain

COMBINERS = ("hadamard", "random_one_bit")
NOISE_MODELS = ("per_slot", "common")

# Keys of a channel's configuration that the experiment decides, and those that a sweep cannot serve otherwise.
_IGNORED = ("batch", "seed")
_REQUIRED = {"users": None, "frequencies": None, "hardware": {}, "normalise": True}

#: M/N where neither ``n_slots`` nor ``undersampling`` is given.
DEFAULT_UNDERSAMPLING = 0.5


@dataclass(frozen=True)
class Scenario:
    """A channel model with its pilots.

    Attributes:
        channel: name of a channel preset, or the dictionary of a
            :class:`~gnuradio.thzum.channel.ChannelConfig` of one user at the carrier; its ``batch`` and
            ``seed`` are those of the experiment.
        name: what results call it; default: the preset's name.
        overrides: parameters of the preset to replace, {name: value}.
        n_slots: pilot slots Q, 1 to rows*cols; or give
        undersampling: M/N = Q/(rows*cols), above 0 and at most 1; default 0.5.
        combiner: "hadamard" (rows of a sign-randomised Hadamard matrix) or "random_one_bit" (entries
            +-1/sqrt(rows*cols), independent); drawn once per scenario.
        noise_model: "per_slot" (fresh noise in each slot) or "common" (one noise vector through all slots).
    """

    channel: str | dict
    name: str = ""
    overrides: dict = field(default_factory=dict)
    n_slots: int | None = None
    undersampling: float | None = None
    combiner: str = "hadamard"
    noise_model: str = "per_slot"

    def __post_init__(self):
        set_field = object.__setattr__.__get__(self)
        if not isinstance(self.channel, dict):
            one_of("channel", self.channel, presets())
        elif self.overrides:
            raise ValueError("overrides: expected none beside a dictionary of the channel; change that instead")
        set_field("channel", plain("channel", self.channel))
        set_field("overrides", plain("overrides", mapping("overrides", self.overrides)))
        if not isinstance(self.name, str):
            raise ValueError(f"name: expected text, got {self.name!r}")
        set_field("name", self.name or _default_name(self.channel))
        one_of("combiner", self.combiner, COMBINERS)
        one_of("noise_model", self.noise_model, NOISE_MODELS)
        if self.n_slots is not None and self.undersampling is not None:
            raise ValueError("n_slots: expected either n_slots or undersampling, got both")
        if self.n_slots is not None:
            set_field("n_slots", integer("n_slots", self.n_slots, 1))
        else:
            ratio = DEFAULT_UNDERSAMPLING if self.undersampling is None else self.undersampling
            set_field("undersampling", real("undersampling", ratio, above=0, high=1))

    @classmethod
    def from_dict(cls, config):
        """A scenario from a preset's name or from a dictionary of the attributes."""
        return from_name_or_dict(cls, "scenario", config, "channel")

    def to_dict(self):
        """The dictionary from which :meth:`from_dict` makes the same scenario."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def channel_config(self):
        """The :class:`~gnuradio.thzum.channel.ChannelConfig` of the channel.

        Raises:
            ValueError: an unknown key, a value out of range, or something that a sweep does not simulate.
        """
        given = self.channel
        if not isinstance(given, dict):
            given = {"model": {"preset": given, **self.overrides}}
        config = ChannelConfig.from_dict({key: value for key, value in given.items() if key not in _IGNORED})
        for name, wanted in _REQUIRED.items():
            if getattr(config, name) != wanted:
                raise ValueError(f"channel.{name}: expected {wanted!r} in a sweep, got {getattr(config, name)!r}")
        return config

    def slots(self, array):
        """Pilot slots Q on an array."""
        elements = array.rows * array.cols
        if self.n_slots is None:
            return max(1, round(self.undersampling * elements))
        return integer("n_slots", self.n_slots, 1, elements)

    def build_operator(self, array, seeds):
        """The pilot operator on an array; its combiner is drawn with a ``numpy.random.SeedSequence``."""
        n_slots, elements = self.slots(array), array.rows * array.cols
        if self.combiner == "hadamard":
            # Rows are orthonormal: common noise is as white as fresh noise.
            seed = int(seeds.generate_state(1)[0])
            return pilot_operator.hadamard(array.n_subarrays, array.rows, array.cols, n_slots, seed=seed)
        signs = np.random.default_rng(seeds).integers(0, 2, (array.n_subarrays, n_slots, elements))
        combiner = ((2 * signs - 1) / np.sqrt(elements)).astype(np.complex64)
        return pilot_operator(combiner, rows=array.rows, cols=array.cols, noise_model=self.noise_model)


class ChannelSource:
    """Draws the channels of a :class:`~gnuradio.thzum.channel.ChannelConfig`, in C++ where the model has a twin.

    Attributes:
        kind: "native" (C++) or "python".
    """

    def __init__(self, config):
        self._config, model = config, config.build()
        has_twin = type(model) is HybridFieldChannel and config.wavefront == "auto"
        self._native = native_model(model) if has_twin and config.resolution in (None, model.resolution) else None
        self.kind = "python" if self._native is None else "native"

    def sample(self, batch, seeds):
        """``batch`` channels, complex64 [batch, N], drawn with a ``numpy.random.SeedSequence``."""
        seed = int(seeds.generate_state(1, np.uint64)[0])
        if self._native is None:
            return self._config.draw(batch, seed).channels
        return self._native.sample(batch, seed=seed)


def _default_name(channel):
    if isinstance(channel, str):
        return channel
    model = channel.get("model", channel.get("array"))
    name = model.get("preset") if isinstance(model, dict) else model
    return name if isinstance(name, str) else "channel"
