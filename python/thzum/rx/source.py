# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening what a receiver listens to."""

import warnings
from dataclasses import dataclass

from ..channel.config_file import read_document
from ..frame.recording import Recording
from ..radio import receiver_source
from ..radio.address import FORMS, parse_address


#: What to look at when no frame comes, by the kind of the source.
_ADVICE = {
    "soapy": "check that users send, --plan, --frequency and --gain",
    "zmq": "check that the other process sends, --plan, and that the address has ?tags just if it passes tags",
    "recording": "check --plan",
}


@dataclass
class Opened:
    """A source block with what is known of it.

    Attributes:
        block: the :class:`~gnuradio.thzum.radio.receiver_source`.
        plan: :class:`~gnuradio.thzum.frame.PilotPlan`.
        name: for people.
        recording: :class:`~gnuradio.thzum.frame.recording.Recording`, None of other sources.
        sample_rate: in Hz, 0 = not known.
        ends: whether it comes to an end by itself after as many frames as were asked for.
    """

    block: object
    plan: object
    name: str
    recording: Recording = None
    sample_rate: float = 0.0
    ends: bool = False

    def overflows(self):
        """Overflows that a device reported; None of other sources, which have none."""
        return self.block.overflows() if self.block.kind == "soapy" else None

    def lost_samples(self):
        """Samples of each chain that a device lost; None of other sources."""
        return self.block.lost_samples() if self.block.kind == "soapy" else None

    def advice(self):
        """What to look at when no frame comes."""
        return _ADVICE[self.block.kind]

    def beams(self):
        """Data beams that a device knows of; [] of other sources, where tags may tell them."""
        return self.block.beams

    def truth(self):
        """The recording if its truth lies beside it, else None."""
        try:
            return self.recording if self.recording is not None and self.recording.truth else None
        except FileNotFoundError:
            return None


def _opened_recording(path):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of truncated files; the source logs them
            return Recording(path or None)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}; a source is {FORMS}") from None


def _plan_of(recording):
    if "thzum:plan" not in recording.metadata["global"]:
        raise ValueError(f"plan: {recording.path} does not tell its pilot plan; give a file of it by --plan")
    return recording.plan


def open_source(address, plan=None, repeat=False, n_frames=0, **device):
    """Open the source at ``address``; :class:`Opened`.

    Args:
        address: as :class:`~gnuradio.thzum.radio.receiver_source` takes it.
        plan: :class:`~gnuradio.thzum.frame.PilotPlan`; None takes that of a recording.
        repeat: replay a recording without end.
        n_frames: frames of a recording to replay; 0 = all, as with frames on the air, which nobody counts before
            they are found.
        device: sample_rate, frequency and gain.

    Raises:
        ValueError, OSError, RuntimeError: it cannot be opened, or nothing says which plan it has.
    """
    parsed, recording = parse_address(address), None
    if parsed.kind == "recording":
        recording = _opened_recording(parsed.target)
        plan = plan or _plan_of(recording)
        if not recording.frames and plan.air is None:
            raise ValueError(
                f"source: {recording.path} has no whole annotated frame, and frames of its plan have no preamble "
                "to be found by (no samples_per_symbol)"
            )
    elif plan is None:
        raise ValueError(f"plan: {address} does not tell its pilot plan; give a file of it by --plan")
    elif plan.air is None and not parsed.options.get("tags"):
        other = ", or pass tags and add ?tags to the address" if parsed.kind == "zmq" else ""
        raise ValueError(
            "plan: expected one with samples_per_symbol of 2 or more, whose frames have a preamble to be found, "
            f"got one without{other}"
        )
    is_counted = recording is not None and not repeat and plan.air is None
    block = receiver_source(address, plan, repeat=repeat, n_frames=n_frames if is_counted else 0, **device)
    name = str(recording.path) if recording else address
    return Opened(block, plan, name, recording, block.sample_rate, is_counted)
