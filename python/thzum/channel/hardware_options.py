# SPDX-License-Identifier: GPL-3.0-or-later
"""The hardware on samples as the options of the C++ chain."""


def hardware_options(hardware, sample_rate):
    """Options of the C++ transmitter and receiver chains for a Hardware, {name: value}; None gives none.

    The phase shifter acts on combiners, not on samples, and is left out.

    Args:
        hardware: a :class:`~gnuradio.thzum.channel.hardware.Hardware` or None.
        sample_rate: in Hz, which all its models must have.

    Raises:
        ValueError: a model of another sample rate.
    """
    if hardware is None:
        return {}
    for name, model in hardware.to_dict().items():
        if model.get("sample_rate", sample_rate) != sample_rate:
            raise ValueError(
                f"hardware: expected the channel's sample rate of {sample_rate:g} Hz, "
                f"got {model['sample_rate']:g} for {name}"
            )
    options = {}
    for name, prefix in (("power_amplifier", "pa"), ("low_noise_amplifier", "lna")):
        options |= _amplifier(name, prefix, getattr(hardware, name))
    for name in ("user_phase_noise", "phase_noise"):
        options |= _phase_noise(name, getattr(hardware, name))
    for name in ("user_frequency_offset", "frequency_offset"):
        options |= _frequency_offset(name, getattr(hardware, name))
    if (model := hardware.iq_imbalance) is not None:
        options |= {"iq_imbalance": True, "iq_amplitude_db": model.amplitude_db, "iq_phase_deg": model.phase_deg}
    if (model := hardware.sampling_offset) is not None:
        options |= {"sampling_offset": True, "sampling_offset_ppm": model.ppm}
    if (model := hardware.adc) is not None:
        options |= {"adc": True, "adc_bits": model.bits, "adc_loading": model.loading or 0.0}
        options |= {"adc_power": model.power, "adc_agc_samples": model.agc_samples or 0.0}
    return options


def _amplifier(name, prefix, model):
    if model is None:
        return {}
    backoff_db, power = model.input_backoff_db, model.input_power
    if model.saturation is not None:
        backoff_db, power = 0.0, model.saturation**2
    return {
        name: True,
        f"{prefix}_smoothness": model.smoothness,
        f"{prefix}_input_backoff_db": backoff_db,
        f"{prefix}_input_power": power,
    }


def _phase_noise(name, model):
    if model is None:
        return {}
    values = dict(k0=model.k0, k2=model.wiener_k2, k3=model.k3, flicker_low=model.flicker_low or 0.0)
    values |= dict(shared=model.shared, seed=model.seed)
    return {name: True} | {f"{name}_{key}": value for key, value in values.items()}


def _frequency_offset(name, model):
    if model is None:
        return {}
    if name == "frequency_offset":
        return {name: True, f"{name}_hz": model.offset, f"{name}_phase": model.phase}
    offsets = model.offset if isinstance(model.offset, tuple) else (model.offset,)
    return {name: True, f"{name}_hz": offsets}
