# SPDX-License-Identifier: GPL-3.0-or-later
"""One source for all receivers: a radio, a feed from another process or a recording, by its address."""

import pmt
from gnuradio import blocks, gr

from ..channel.hardware.checks import real
from ..recording_source import recording_source
from .address import parse_address
from .plan_identity import plan_differences
from .virtual import completed


class receiver_source(gr.hier_block2):
    """The S RF chains of a pilot plan from wherever the address says; the receiver behind it stays the same.

    Addresses:

    - ``driver=NAME,...``: any SoapySDR device with S receive channels, such as ``driver=uhd,addr=192.168.10.2`` or
      the virtual radio ``driver=thzum,medium=room``, see docs/radio.md. Samples that it lost come as NaN.
    - ``tcp://HOST:PORT`` or ``ipc://PATH`` (also ``zmq+tcp://...``): vectors of S complex samples, one of each chain,
      from a ZMQ PUSH Sink in another process. ``?sub`` connects to a PUB Sink, ``?bind`` binds instead of connecting,
      ``?tags`` takes the tags that a sink with Pass Tags sends, as frames that are not on the air need them
      (``?sub&tags``).
    - anything else: path of a SigMF recording of S channels; "" is the shipped one.

    Message port report: what :class:`soapy_source` reports of overflows and lost samples; nothing from others.

    Args:
        address: see above.
        plan: the :class:`~gnuradio.thzum.frame.PilotPlan` of the frames.
        sample_rate: in Hz; a device or recording of another rate is refused. 0 takes the source's own.
        frequency: carrier in Hz to which a device is tuned; 0 leaves it.
        gain: of a device's chains in dB; None leaves it.
        repeat: recordings: start again at the end.
        realtime: recordings: no faster than their sample rate.
        longest_gap: devices: seconds of lost samples that NaN stand in for at a time.
        settings: devices: a dictionary of their own settings, such as {"snr_db": 10} of the virtual radio.
        n_frames: recordings: end after as many frames; 0 replays all.

    Raises:
        ValueError: an address that is none of these, a device that does not answer, too few channels, another
            sample rate, a recording of another plan.
        FileNotFoundError: there is no such recording.
    """

    def __init__(
        self,
        address,
        plan,
        sample_rate=0.0,
        frequency=0.0,
        gain=None,
        repeat=False,
        realtime=False,
        longest_gap=0.5,
        settings=None,
        n_frames=0,
    ):
        self.plan = plan
        self.n_chains = plan.n_subarrays
        outputs = gr.io_signature(self.n_chains, self.n_chains, gr.sizeof_gr_complex)
        gr.hier_block2.__init__(self, "thzum_receiver_source", gr.io_signature(0, 0, 0), outputs)
        self.message_port_register_hier_out("report")
        sample_rate = real("sample_rate", sample_rate, low=0)
        parsed = parse_address(address)
        #: "soapy", "zmq" or "recording"
        self.kind = parsed.kind
        #: The block that reads the samples.
        self.source = None
        self._settings = {}
        if parsed.kind == "soapy":
            self._open_device(parsed.target, sample_rate, frequency, gain, longest_gap)
        elif parsed.kind == "zmq":
            self._open_feed(parsed, sample_rate)
        else:
            self._open_recording(parsed.target, sample_rate, repeat, realtime, n_frames)
        self.set_settings(settings or {})

    def message_ports_out(self):
        """Names of the message ports; those of a hierarchical block are not among what GNU Radio lists."""
        return pmt.make_vector(1, pmt.intern("report"))

    @property
    def sample_rate(self):
        """In Hz; 0 where nobody said."""
        return self._sample_rate

    @property
    def beams(self):
        """Code book indices of the data beams that the source knows of, a list; [] where it does not."""
        if self.kind != "soapy":
            return []
        return [int(beam) for beam in self.source.information().get("beams", "").split(";") if beam]

    def overflows(self):
        """Overflows that a device reported; 0 for other sources."""
        return self.source.overflows() if self.kind == "soapy" else 0

    def lost_samples(self):
        """Samples that a device lost, by its timestamps; 0 for other sources."""
        return self.source.lost_samples() if self.kind == "soapy" else 0

    def received_samples(self):
        """Samples of each chain so far."""
        return self.source.received_samples() if self.kind == "soapy" else self.source.nitems_written(0)

    def set_setting(self, key, value):
        """Change a setting of a device, such as ("snr_db", 10) of the virtual radio; ValueError for other sources."""
        if self.kind != "soapy":
            raise ValueError(f"set_setting: only a device has settings, this source is a {self.kind}")
        self.source.set_setting(key, str(value))

    def set_settings(self, settings):
        """Change those of a device's settings that are not as they were; nothing happens to other sources."""
        if self.kind != "soapy":
            return
        for key, value in settings.items():
            if self._settings.get(key) != value:
                self.source.set_setting(key, str(value))
                self._settings[key] = value

    def set_frequency(self, frequency):
        """Tune a device, in Hz; nothing happens to other sources or at 0."""
        if self.kind == "soapy" and frequency:
            self.source.set_frequency(frequency)

    def set_gain(self, gain):
        """Gain of all chains of a device in dB; nothing happens to other sources or with None."""
        if self.kind == "soapy" and gain is not None:
            self.source.set_gain(gain)

    def _open_device(self, device, sample_rate, frequency, gain, longest_gap):
        from ..thzum_python import soapy_source

        gain = -1000.0 if gain is None else real("gain", gain)
        frequency, longest_gap = real("frequency", frequency, low=0), real("longest_gap", longest_gap, low=0)
        with completed(device, self.plan, sample_rate) as arguments:
            self.source = soapy_source(
                arguments, self.n_chains, sample_rate, frequency, gain, longest_gap=longest_gap
            )
        self._sample_rate = self.source.sample_rate()
        self.msg_connect(self.source, "report", self, "report")
        for chain in range(self.n_chains):
            self.connect((self.source, chain), (self, chain))

    def _open_feed(self, address, sample_rate):
        try:
            from gnuradio import zeromq
        except ImportError:
            raise ValueError(
                f"address: {address.target} needs gr-zeromq, which this GNU Radio does not have"
            ) from None

        self._sample_rate = sample_rate
        kind = zeromq.pull_source if address.options["pattern"] == "pull" else zeromq.sub_source
        options = {"pass_tags": address.options["tags"], **({"bind": True} if address.options["bind"] else {})}
        try:
            self.source = kind(gr.sizeof_gr_complex, self.n_chains, address.target, timeout=100, **options)
        except RuntimeError as error:
            raise ValueError(f"address: {address.target}: {error}") from None
        streams = blocks.vector_to_streams(gr.sizeof_gr_complex, self.n_chains)
        self.connect(self.source, streams)
        for chain in range(self.n_chains):
            self.connect((streams, chain), (self, chain))

    def _open_recording(self, path, sample_rate, repeat, realtime, n_frames):
        self.source = recording_source(path, self.n_chains, repeat, n_frames)
        recording = self.source.recording
        self._check_plan(recording)
        rate = recording.sample_rate
        if sample_rate and rate and abs(rate - sample_rate) > 1e-6 * sample_rate:
            raise ValueError(
                f"sample_rate: expected that of {recording.path}, {rate:g} Hz, got {sample_rate:g} Hz; 0 takes it"
            )
        self._sample_rate = rate or sample_rate
        for chain in range(self.n_chains):
            way = [(self.source, chain)]
            if realtime and self._sample_rate:
                way.append(blocks.throttle(gr.sizeof_gr_complex, self._sample_rate))
            self.connect(*way, (self, chain))

    def _check_plan(self, recording):
        try:
            recorded = recording.plan
        except ValueError:
            return  # whoever recorded it did not say
        differences = plan_differences(self.plan, recorded)
        if differences:
            raise ValueError(f"plan: {recording.path} has frames of another plan: {'; '.join(differences)}")
