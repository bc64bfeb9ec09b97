# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening what a receiver listens to, and reading pilot plans from files."""

from dataclasses import dataclass
from pathlib import Path

from ..frame.recording import Recording, plan_from_metadata
from ..recording_source import recording_source


@dataclass
class Opened:
    """A source block with what is known of it.

    Attributes:
        block: has an output for each RF chain.
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
        """Times that samples were lost before the receiver had them; None where the source does not tell."""
        counter = getattr(self.block, "overflows", None)
        return int(counter()) if counter else None

    def truth(self):
        """The recording if its truth lies beside it, else None."""
        try:
            return self.recording if self.recording is not None and self.recording.truth else None
        except FileNotFoundError:
            return None


def load_plan(path):
    """The plan of a YAML or JSON file with PilotPlan's arguments, as "thzum:plan" of a recording holds them.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not such a file.
    """
    import yaml

    text = Path(path).read_text()
    try:
        return plan_from_metadata(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ValueError(f"plan: {path} is neither YAML nor JSON: {error}") from None
    except ValueError as error:
        raise ValueError(f"{error} (in {path})") from None


def open_source(address, plan=None, repeat=False, n_frames=0):
    """Open the source at ``address``; :class:`Opened`.

    Args:
        address: path of a SigMF recording; "" is the shipped one.
        plan: :class:`~gnuradio.thzum.frame.PilotPlan`; None takes that of the recording.
        repeat: replay a recording without end.
        n_frames: frames of a recording to replay; 0 = all.

    Raises:
        ValueError, OSError, RuntimeError: it cannot be opened, or nothing says which plan it has.
    """
    block = recording_source(address, n_channels=plan.n_subarrays if plan else 0, repeat=repeat, n_frames=n_frames)
    recording = block.recording
    if not recording.frames and (plan or recording.plan).air is None:
        raise ValueError(f"source: {recording.path} has no annotated frame, and its plan has none on the air to find")
    return Opened(block, plan or recording.plan, str(recording.path), recording, recording.sample_rate, not repeat)
