# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual radio's channel: drawn here, written to the file that its driver reads."""

from dataclasses import dataclass, fields

import numpy as np

from ..channel.hardware.checks import integer, real
from .plan_identity import plan_fingerprint


@dataclass(frozen=True)
class ChannelChoice:
    """Which channel lies between the users and the array.

    Attributes:
        preset: name of a channel preset; "" takes the one of the plan's array, or thz300_aosa4x256.
        config: path of a channel configuration (YAML or JSON, see docs/channel.md), instead of a preset. Its
            hardware section is the radio's hardware.
        seed: of the paths.
        realisations: channels that take turns.
        coherence: s until the next realisation; 0 keeps the first.
        max_doppler: of the paths, in Hz.
        beams: code book indices of the data beams, one per RF chain; None takes what beam training would find.
        rate: sample rate in Hz; drivers may be set to another one later.
    """

    preset: str = ""
    config: str = ""
    seed: int = 0
    realisations: int = 1
    coherence: float = 0.0
    max_doppler: float = 0.0
    beams: tuple | None = None
    rate: float = 1e6

    @classmethod
    def from_texts(cls, texts):
        """From {name: text} as they stand in an address; beams are separated by ";"."""
        kinds = {field.name: type(field.default) for field in fields(cls)}
        values = {}
        for name, text in texts.items():
            if name == "beams":
                values[name] = tuple(_number(name, beam, int) for beam in text.split(";"))
            else:
                values[name] = text if kinds[name] is str else _number(name, text, kinds[name])
        return cls(**values)

    @classmethod
    def names(cls):
        """Names of the attributes."""
        return [field.name for field in fields(cls)]


def make_setup(plan, choice=ChannelChoice()):
    """The ``thzum.radio_setup`` of a plan with frames on the air behind the chosen channel.

    Each user's channel is scaled to ||h||^2 = N, power control. Noise is 15 dB below a user's despread pilots;
    the driver's arguments change it.

    Raises:
        ValueError: naming what is wrong.
    """
    from ..channel import UplinkChannel
    from ..frame import serving_beams
    from ..thzum_python import radio_setup

    if plan.air is None:
        raise ValueError("plan: expected samples_per_symbol of 2 or more, frames on the air, got 1")
    rate = real("rate", choice.rate, above=0)
    paths, hardware = _paths(plan, choice, rate)
    options = dict(
        coherence_samples=round(real("coherence", choice.coherence, low=0) * rate),
        hardware=hardware,
        normalise="each",
        noise_var=plan.n_users * 10**-1.5,
        seed=choice.seed,
    )
    beams = choice.beams
    if beams is None:
        bare = UplinkChannel(plan.array, paths, _any_combiner(plan), rate, normalise="each")
        beams = serving_beams(plan, bare.true_channel(0))
    beams = [int(beam) for beam in beams]
    channel = UplinkChannel.from_plan(plan, paths, rate, beams=beams, **options)
    return radio_setup(
        channel.parameters(), plan.array.carrier_frequency, plan.air_length, plan_fingerprint(plan), beams
    )


def _number(name, text, kind):
    try:
        return kind(text)
    except ValueError:
        wanted = "an integer" if kind is int else "a number"
        raise ValueError(f"{name}: expected {wanted}, got {text!r}") from None


def _any_combiner(plan):
    return np.repeat(plan.codebook[:1], plan.n_subarrays, axis=0)[None]


def _paths(plan, choice, rate):
    """Paths [realisations, users, L] and the hardware."""
    realisations = integer("realisations", choice.realisations, 1)
    if not choice.config:
        from ..channel import draw_users, preset, presets

        own = [name for name in presets() if preset(name).array == plan.array]
        model = preset(choice.preset or (own or ["thz300_aosa4x256"])[0])
        return draw_users(model, plan.n_users, realisations, choice.max_doppler, seed=choice.seed), None
    from ..channel import ChannelConfig

    if choice.preset:
        raise ValueError(f"config: expected either a preset or a config, got {choice.preset!r} and {choice.config!r}")
    config = ChannelConfig.from_file(choice.config)
    config = config.replace(users=plan.n_users, sample_rate=rate, frequencies=None, allow_overload=True)
    if config.build().array.n_antennas != plan.n_antennas:
        raise ValueError(f"config: expected the plan's array of {plan.n_antennas} antennas in {choice.config}")
    return config.draw(batch=realisations, seed=choice.seed).paths, config.build_hardware()
