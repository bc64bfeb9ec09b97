# SPDX-License-Identifier: GPL-3.0-or-later
"""GNU Radio block that calibrates the RF chains with a transmitter whose channel is known."""

import numpy as np
import pmt
from gnuradio import gr

from ..channel.hardware.checks import integer
from ..frame.calibration import chain_gains

_USER, _SKIPPED = pmt.intern("thzum_user"), pmt.intern("thzum_skipped")


class chain_calibration(gr.sync_block):
    """Measures the gains of the RF chains from pilots of a user whose channel is known.

    Input: pilots y, complex64 vectors of M, as the Pilot Receiver gives them; those of other users and skipped ones
    are passed over. After every ``n_frames`` of the user's, message port ``calibration`` gives a dictionary with
    ``calibration`` (c32vector [S]), what Frame Sync takes on its port control. Frame Sync divides by it, so what is measured
    afterwards is what has remained or drifted: each message is the last one times that.

    Args:
        plan: a :class:`~gnuradio.thzum.frame.PilotPlan`.
        h: the user's channel as far as chains do not change it, complex [N], up to a common factor: of the array's
            geometry and a transmitter at a measured place in sight, say.
        user: whose pilots.
        n_frames: frames of a measurement.

    Raises:
        ValueError: naming the argument, what was expected and what came.
    """

    def __init__(self, plan, h, user=0, n_frames=16):
        gr.sync_block.__init__(
            self, name="thzum_chain_calibration", in_sig=[(np.complex64, plan.n_observations)], out_sig=None)
        h = np.asarray(h, np.complex64)
        if h.shape != (plan.n_antennas,):
            raise ValueError(f"h: expected a channel of {plan.n_antennas} antennas, got shape {h.shape}")
        self._n_subarrays = plan.n_subarrays
        self._reference = plan.operator.measure(h)
        chain_gains(self._reference, self._reference, self._n_subarrays)  # refuses channels that do not serve
        self._user = integer("user", user, 0, plan.n_users - 1)
        self._n_frames = integer("n_frames", n_frames, 1)
        self._log = gr.logger(self.alias())
        self.message_port_register_out(pmt.intern("calibration"))
        self.start()

    def start(self):
        """Begin with chains that are alike, whenever the flowgraph starts."""
        self._frames, self._gains = [], np.ones(self._n_subarrays, complex)
        return True

    def gains(self):
        """The gains so far, complex128 [S]."""
        return self._gains.copy()

    def work(self, input_items, output_items):
        pilots = input_items[0]
        tags = self.get_tags_in_window(0, 0, len(pilots))
        first = self.nitems_read(0)
        wanted = {tag.offset - first for tag in tags if tag.key == _USER and pmt.to_python(tag.value) == self._user}
        skipped = {tag.offset - first for tag in tags if tag.key == _SKIPPED}
        for index in sorted(wanted - skipped):
            self._frames.append(pilots[index].copy())
            if len(self._frames) == self._n_frames:
                self._measure()
        return len(pilots)

    def _measure(self):
        frames, self._frames = self._frames, []
        try:
            gains = self._gains * chain_gains(frames, self._reference, self._n_subarrays)
        except ValueError as error:
            self._log.warn(f"no calibration from these frames: {error}")
            return
        self._gains = gains / np.sqrt(np.mean(np.abs(gains) ** 2))
        message = pmt.init_c32vector(len(gains), self._gains.astype(np.complex64).tolist())
        self.message_port_pub(
            pmt.intern("calibration"), pmt.dict_add(pmt.make_dict(), pmt.intern("calibration"), message))
