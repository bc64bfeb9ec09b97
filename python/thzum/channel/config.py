# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of a channel simulation: everything that, with the seed, decides what is drawn."""

from dataclasses import dataclass, field, fields, replace

from ..array import SubarrayArray
from .config_file import read_document
from .frequency_grid import FrequencyGrid
from .hardware import Hardware
from .hardware.checks import boolean, integer, real
from .keys import mapping, one_of, refuse_unknown
from .model_config import array_from, array_to_dict, model_from, model_to_dict
from .presets import presets
from .response import RESOLUTIONS, WAVEFRONTS
from .scene import FixedUsers, Scene

_GRID_KEYS = ("centre", "bandwidth", "subcarriers")
# Above it there is no model of absorption without lines of the user's.
_HIGHEST_WITHOUT_LINES = 1e12


@dataclass(frozen=True)
class ChannelConfig:
    """A checked configuration; make it with :meth:`from_dict` or :meth:`from_file`.

    Attributes:
        model: {"preset": name, ...changes}, where a preset's name alone will do, or {"scene": {...}} for
            :meth:`Scene.from_dict`.
        array: the :class:`SubarrayArray`; None takes the model's.
        frequencies: a :class:`FrequencyGrid`, or None for the carrier alone (then without a frequency axis).
        users: number of users K, or None for one user without an axis of its own.
        batch: number of channels B that :meth:`draw` draws unless told otherwise.
        seed: integer of at least 0.
        hardware: dictionary for :meth:`Hardware.from_dict`; kept with the channels, not applied to them.
        sample_rate: in Hz, for the hardware; None where its models state their own or need none.
        time: in s, when a scene with mobility is looked at; its users and paths move on from their places at 0.
        normalise: True scales each user's channel to ||h||^2 = N (averaged over its frequencies).
        wavefront: "auto" as each path says, or "planar" or "spherical" for all.
        resolution: "subarray" or "element", see :func:`response`; None takes the model's.
        allow_overload: True accepts more users than RF chains (subarrays), which no linear receiver separates.
    """

    model: dict
    array: SubarrayArray | None = None
    frequencies: FrequencyGrid | None = None
    users: int | None = None
    batch: int = 1
    seed: int = 0
    hardware: dict = field(default_factory=dict)
    sample_rate: float | None = None
    time: float = 0.0
    normalise: bool = True
    wavefront: str = "auto"
    resolution: str | None = None
    allow_overload: bool = False

    def __post_init__(self):
        if isinstance(self.model, str):
            object.__setattr__(self, "model", {"preset": self.model})
        mapping("model", self.model)
        if self.users is not None:
            integer("users", self.users, 1)
        integer("batch", self.batch, 1)
        integer("seed", self.seed, 0)
        boolean("normalise", self.normalise)
        boolean("allow_overload", self.allow_overload)
        one_of("wavefront", self.wavefront, WAVEFRONTS)
        if self.resolution is not None:
            one_of("resolution", self.resolution, RESOLUTIONS)
        real("time", self.time)
        if self.sample_rate is not None:
            real("sample_rate", self.sample_rate, above=0.0)
        model = self.build()
        self._check_users(model)
        self._check_time(model)
        self._check_absorption(model)
        self.build_hardware()

    @classmethod
    def from_dict(cls, config):
        """The configuration in nested dictionaries, as read from YAML or JSON.

        Raises ValueError, before anything is computed, for an unknown or missing key and for a value of the wrong
        type or out of range; it names the key with its section, what was expected and what came.
        """
        given = dict(mapping("config", config))
        refuse_unknown("config", given, [item.name for item in fields(cls)])
        if given.get("model") is None:
            raise ValueError(f"model: expected one of {presets()} or a dictionary of settings, got none")
        if isinstance(given["model"], str):
            given["model"] = {"preset": one_of("model", given["model"], presets())}
        if given.get("array") is not None:
            own = None if "scene" in mapping("model", given["model"]) else model_from(given["model"], None).array
            given["array"] = array_from(given["array"], own)
        if given.get("hardware") is None:
            given["hardware"] = {}
        if given.get("frequencies") is not None:
            carrier = model_from(given["model"], given.get("array")).array.carrier_frequency
            given["frequencies"] = _grid_from(given["frequencies"], carrier)
        return cls(**given)

    @classmethod
    def from_file(cls, path):
        """The configuration in a file ``.yaml``, ``.yml`` or ``.json``; errors name the file."""
        document = read_document(path)
        try:
            return cls.from_dict(document)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def to_dict(self):
        """Plain data, every default written out, from which :meth:`from_dict` makes the same configuration."""
        model = self.build()
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        plain["model"] = model_to_dict(self.model, model)
        plain["array"] = array_to_dict(model.array)
        plain["frequencies"] = None if self.frequencies is None else self.frequencies.to_dict()
        plain["hardware"] = self.build_hardware().to_dict()
        return plain

    def replace(self, **changes):
        """A copy with other values, checked anew."""
        return replace(self, **changes)

    def build(self):
        """The model: a :class:`HybridFieldChannel` or a :class:`Scene`."""
        return model_from(self.model, self.array)

    def build_hardware(self):
        """The :class:`~gnuradio.thzum.channel.hardware.Hardware` of this configuration."""
        mapping("hardware", self.hardware)
        try:
            return Hardware.from_dict(self.hardware, self.sample_rate)
        except ValueError as error:
            raise ValueError(f"hardware.{error}") from None

    def draw(self, batch=None, seed=None, progress=None):
        """Draw a :class:`ChannelBatch`.

        Args:
            batch, seed: instead of the configuration's own.
            progress: called with the number of channels that were finished since its last call.
        """
        from .sampling import draw

        return draw(self, batch, seed, progress)

    def _check_users(self, model):
        chains = model.array.n_subarrays
        if self.users is not None and self.users > chains and not self.allow_overload:
            raise ValueError(
                f"users: expected at most {chains}, the number of RF chains (subarrays) of the array, "
                f"got {self.users}; allow_overload: true draws them nevertheless"
            )
        if isinstance(model, Scene) and isinstance(model.users, FixedUsers):
            count = len(model.users.positions)
            if count != (self.users or 1):
                raise ValueError(f"users: expected {count}, one for each fixed position, got {self.users}")

    def _check_time(self, model):
        if self.time != 0 and (not isinstance(model, Scene) or model.mobility is None):
            raise ValueError(f"time: expected 0 for a model without mobility, got {self.time:g} s")

    def _check_absorption(self, model):
        """Refuse frequencies at which the absorption is not known."""
        carrier = model.array.carrier_frequency
        low, high = (carrier, carrier) if self.frequencies is None else self.frequencies.edges
        if isinstance(model, Scene):
            for frequency in (low, high):
                try:
                    model.path_loss.at(frequency)
                except ValueError as error:
                    raise ValueError(f"frequencies, model.scene.path_loss: {error}") from None
        elif max(carrier, high) > _HIGHEST_WITHOUT_LINES:
            raise ValueError(
                f"array.carrier_frequency, frequencies: expected at most 1 THz for a preset, which has no lines of "
                f"absorption, got {max(carrier, high):g} Hz; use a scene whose path_loss has lines of yours "
                "(absorption: line_list) or says absorption: null"
            )


def from_config(config):
    """The :class:`ChannelConfig` of a dictionary, of a file's path, of a preset's name, or itself."""
    if isinstance(config, ChannelConfig):
        return config
    if isinstance(config, dict):
        return ChannelConfig.from_dict(config)
    if isinstance(config, str) and config in presets():
        return ChannelConfig.from_dict({"model": config})
    return ChannelConfig.from_file(config)


def _grid_from(section, carrier):
    if isinstance(section, FrequencyGrid):
        return section
    given = mapping("frequencies", section)
    refuse_unknown("frequencies", given, _GRID_KEYS)
    for key in ("bandwidth", "subcarriers"):
        if key not in given:
            raise ValueError(f"frequencies.{key}: expected a number, got none; the section needs it")
    return FrequencyGrid(**{"centre": carrier, **given})
