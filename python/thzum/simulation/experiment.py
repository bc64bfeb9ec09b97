# SPDX-License-Identifier: GPL-3.0-or-later
"""Description of a Monte-Carlo experiment."""

from dataclasses import asdict, dataclass, field, fields

from ..channel.config_file import read_document
from ..channel.hardware.checks import integer, real
from ..channel.keys import mapping, one_of, refuse_unknown
from .entries import from_name_or_dict
from .plain import plain
from .tasks import task, tasks

DEFAULT_SNR_DB = (0.0, 5.0, 10.0, 15.0, 20.0)


@dataclass(frozen=True)
class Algorithm:
    """One curve: an algorithm of the task's registry with its options.

    Attributes:
        algorithm: name in the registry.
        label: what results call it; default: the algorithm with its options.
        options: {option: value}; what is missing keeps its default.
    """

    algorithm: str
    label: str = ""
    options: dict = field(default_factory=dict)

    def __post_init__(self):
        set_field = object.__setattr__.__get__(self)
        for name in ("algorithm", "label"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name}: expected text, got {getattr(self, name)!r}")
        set_field("options", plain("options", mapping("options", self.options)))
        chosen = ",".join(f"{key}={value}" for key, value in self.options.items())
        set_field("label", self.label or self.algorithm + (f":{chosen}" if chosen else ""))

    @classmethod
    def from_dict(cls, config):
        """From a name or a dictionary of the attributes."""
        return from_name_or_dict(cls, "algorithm", config, "algorithm")


@dataclass(frozen=True)
class Experiment:
    """Every algorithm on the same channels and the same noise, per scenario and SNR.

    Attributes:
        scenarios: :class:`Scenario` objects, their dictionaries, or names of channel presets; for the task
            "detect" :class:`MimoScenario` objects, their dictionaries, or names of constellations.
        algorithms: :class:`Algorithm` objects, their dictionaries, or names.
        snr_db: E|h_n|^2 / noise_var in dB (detect: E||Hx||^2 / E||n||^2), ascending or not, each once.
        channels: channels per point.
        seed: integer from 0; everything random follows from it.
        block: channels of one unit of work. Part of the experiment: random numbers are drawn per block.
        training_channels: channels, apart from those of the points, that algorithms learn statistics from
            (the covariance of ``lmmse``); 0: algorithms keep their own defaults.
        task: what is computed, a name of :func:`tasks`.
    """

    scenarios: tuple
    algorithms: tuple
    snr_db: tuple = DEFAULT_SNR_DB
    channels: int = 1000
    seed: int = 0
    block: int = 100
    training_channels: int = 5000
    task: str = "estimate"

    def __post_init__(self):
        set_field = object.__setattr__.__get__(self)
        one_of("task", self.task, tasks())
        scenarios = _entries("scenarios", self.scenarios, task(self.task).scenario.from_dict)
        algorithms = _entries("algorithms", self.algorithms, Algorithm.from_dict)
        _refuse_repeats("scenarios", [entry.name for entry in scenarios], "name")
        _refuse_repeats("algorithms", [entry.label for entry in algorithms], "label")
        snrs = _entries("snr_db", self.snr_db, lambda value: real("snr_db", value, low=-100, high=100))
        _refuse_repeats("snr_db", snrs, "value")
        set_field("scenarios", scenarios)
        set_field("algorithms", algorithms)
        set_field("snr_db", snrs)
        set_field("channels", integer("channels", self.channels, 1))
        set_field("seed", integer("seed", self.seed, 0))
        set_field("block", integer("block", self.block, 1))
        set_field("training_channels", integer("training_channels", self.training_channels, 0))

    @classmethod
    def from_dict(cls, config):
        """An experiment from plain data, as read from YAML or JSON.

        Raises:
            ValueError: an unknown key, one that is missing, or a value out of range.
        """
        names = [entry.name for entry in fields(cls)]
        refuse_unknown("experiment", mapping("experiment", config), names)
        for name in ("scenarios", "algorithms"):
            if name not in config:
                raise ValueError(f"{name}: expected at least one, got none")
        return cls(**config)

    @classmethod
    def from_file(cls, path):
        """An experiment from a file ``.yml``, ``.yaml`` or ``.json``."""
        return cls.from_dict(read_document(path))

    def to_dict(self):
        """The plain data from which :meth:`from_dict` makes the same experiment."""
        config = asdict(self)
        config["scenarios"] = [entry.to_dict() for entry in self.scenarios]
        return plain("experiment", config)

    def blocks(self):
        """Channels in each block, a list of integers."""
        full, rest = divmod(self.channels, self.block)
        return [self.block] * full + [rest] * bool(rest)


def differences(asked, recorded):
    """What differs between two experiments' dictionaries, a list of lines."""
    return [
        f"{key}: {recorded.get(key)!r} in the file, {asked.get(key)!r} asked for"
        for key in {**recorded, **asked}
        if recorded.get(key) != asked.get(key)
    ]


def _entries(name, given, convert):
    if isinstance(given, (str, dict)) or not hasattr(given, "__iter__"):
        raise ValueError(f"{name}: expected a list, got {given!r}")
    entries = tuple(convert(entry) for entry in given)
    if not entries:
        raise ValueError(f"{name}: expected at least one, got none")
    return entries


def _refuse_repeats(name, entries, what):
    for entry in entries:
        if entries.count(entry) > 1:
            raise ValueError(f"{name}: expected each {what} once, got {entry!r} again; give one another {what}")
