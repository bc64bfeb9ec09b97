# SPDX-License-Identifier: GPL-3.0-or-later
"""The users' end of a radio: one stream per user into the transmit channels of a SoapySDR device."""

from gnuradio import gr

from ..channel.hardware.checks import real
from .address import parse_address
from .virtual import completed


class transmitter_sink(gr.hier_block2):
    """Users' streams into the first K transmit channels of a SoapySDR device; gr-soapy's sink with a plan.

    With the virtual radio a transmission begins where a frame of the array's combiners does, as timing advance
    would make it, and keeps to that after an underflow.

    Args:
        address: "driver=NAME,...".
        plan: the :class:`~gnuradio.thzum.frame.PilotPlan`; gives K, and the virtual radio's channel.
        sample_rate: in Hz.
        frequency: carrier in Hz; 0 leaves it.
        gain: of all channels in dB; None leaves it.

    Raises:
        ValueError: an address that is not a device's, a device that does not answer or has too few channels.
    """

    def __init__(self, address, plan, sample_rate, frequency=0.0, gain=None):
        n_users = plan.n_users
        gr.hier_block2.__init__(
            self,
            "thzum_transmitter_sink",
            gr.io_signature(n_users, n_users, gr.sizeof_gr_complex),
            gr.io_signature(0, 0, 0),
        )
        parsed = parse_address(address)
        if parsed.kind != "soapy":
            raise ValueError(f'address: expected "driver=NAME,..." of a device that sends, got {address!r}')
        sample_rate = real("sample_rate", sample_rate, above=0)
        self.sink = self._open(parsed.target, plan, sample_rate)
        self.sink.set_sample_rate(0, sample_rate)
        for user in range(n_users):
            if frequency:
                self.sink.set_frequency(user, frequency)
            if gain is not None:
                self.sink.set_gain(user, gain)
            self.connect((self, user), (self.sink, user))

    def set_gain(self, gain):
        """Gain of all users in dB; nothing happens with None."""
        for user in range(self.input_signature().max_streams()) if gain is not None else ():
            self.sink.set_gain(user, gain)

    def set_frequency(self, frequency):
        """Carrier in Hz; nothing happens at 0."""
        for user in range(self.input_signature().max_streams()) if frequency else ():
            self.sink.set_frequency(user, frequency)

    @staticmethod
    def _open(device, plan, sample_rate):
        try:
            from gnuradio import soapy
        except ImportError:
            raise ValueError("address: sending needs gr-soapy, which this GNU Radio does not have") from None
        with completed(device, plan, sample_rate) as arguments:
            name, _, others = arguments.partition(",")
            try:
                return soapy.sink(name, "fc32", plan.n_users, others, "", [""], [""])
            except (RuntimeError, ValueError) as error:
                raise ValueError(f'address: "{device}" cannot send for {plan.n_users} users: {error}') from None
