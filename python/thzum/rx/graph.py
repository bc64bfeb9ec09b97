# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver as a flowgraph: from the streams of the RF chains to channel estimates, symbols and bytes."""

from dataclasses import dataclass

import numpy as np
from gnuradio import blocks, gr

from .. import thzum_python
from ..frame import constellation, ldpc_file
from ..frame.ldpc import DEFAULT_CODE


@dataclass
class Section:
    """Data symbols of a frame in one constellation, and the block that detects them."""

    constellation: str
    first: int
    length: int
    detector: object


class ReceiverGraph(gr.top_block):
    """[frame_sync] -> pilot_receiver -> channel_estimator -> effective_channel -> mimo_detector [-> uplink_payload].

    Frames on the air (``plan.air``) are found by a frame_sync; without, the streams carry the tag thzum_frame.

    Args:
        source: block with an output for each RF chain.
        plan: :class:`~gnuradio.thzum.frame.PilotPlan`.
        estimator, detector: names of ``thzum.estimators()`` and ``thzum.detectors()``.
        model: path of the network of estimators that take one; "" is the shipped one.
        beams: [S] codebook rows of the data beams where no tag tells them; empty = row 0.
        payload: constellation of all data symbols, which then carry the payload of an uplink_frame_source; "" takes
            the plan's sections and decodes no payload.
        code: LDPC code of the payload.
        title: of the flowgraph.

    Attributes: ``source``, ``plan``, ``sync`` (None without frames on the air), ``pilots``, ``estimator``,
    ``effective``, ``sections``, ``payload`` (None without).

    Raises:
        ValueError: naming the argument, what was expected and what came.
    """

    def __init__(
        self, source, plan, estimator="fpn_oamp", detector="lmmse", model="", beams=(), payload="", code=DEFAULT_CODE,
        title="thzum receiver",
    ):
        gr.top_block.__init__(self, title)
        # A block written in Python lives only as long as a reference to it.
        self.source, self.plan, self._model = source, plan, model
        self.sync, self.payload = None, None
        n_users, n_chains = plan.n_users, plan.n_subarrays
        self.pilots = thzum_python.pilot_receiver(
            n_chains, plan.n_noise, plan.n_slots, n_users, plan.n_data, plan.user_sequences
        )
        self.estimator = thzum_python.channel_estimator(
            plan.operator, estimator, self._estimator_options(estimator), array_options=plan.array_options
        )
        self.effective = thzum_python.effective_channel(
            n_chains, plan.n_elements, n_users, plan.codebook, beams=list(beams)
        )
        self.connect((self.pilots, 0), self.estimator, self.effective)
        self._connect_chains()
        parts = [(payload, 0, plan.n_data)] if payload else plan.data_sections if plan.n_data else []
        self.sections = [self._connect_detector(detector, *part) for part in parts]
        if payload:
            self._connect_payload(payload, code)

    def _connect_chains(self):
        plan, first = self.plan, self.pilots
        if plan.air is not None:
            self.sync = first = thzum_python.frame_sync(plan.air, plan.n_subarrays)
        for chain in range(plan.n_subarrays):
            self.connect((self.source, chain), (first, chain))
            if self.sync is not None:
                self.connect((self.sync, chain), (self.pilots, chain))

    def _connect_detector(self, name, modulation, first, length):
        n_users, n_bits = self.plan.n_users, int(np.log2(len(constellation(modulation))))
        detector = thzum_python.mimo_detector(
            name, self.plan.n_subarrays, n_users, modulation, length, offset=first, block_length=self.plan.n_data
        )
        self.connect(self.effective, (detector, 0))
        self.connect((self.pilots, 1), (detector, 1))
        for port, size in enumerate((gr.sizeof_int, gr.sizeof_float * n_bits, gr.sizeof_gr_complex)):
            self.connect((detector, port), blocks.null_sink(size * n_users))
        return Section(modulation, first, length, detector)

    def _connect_payload(self, modulation, code):
        code = thzum_python.payload_code(self.plan.n_data, modulation, ldpc_file(code))
        self.payload = thzum_python.uplink_payload(self.plan.n_users, code)
        self.connect((self.sections[0].detector, 1), self.payload)

    def _estimator_options(self, name):
        takes_model = name in thzum_python.estimators() and "model" in thzum_python.estimator_options(name)
        return {"model": self._model} if self._model and takes_model else {}

    def set_estimator(self, name):
        """Another estimator, while running too; ValueError or RuntimeError leaves the old one."""
        self.estimator.set_algorithm(name, self._estimator_options(name))

    def set_detector(self, name):
        """Another detector, while running too; ValueError leaves the old one."""
        detectors = [section.detector for section in self.sections]
        before = [detector.algorithm() for detector in detectors]
        try:
            for detector in detectors:
                detector.set_algorithm(name)
        except (ValueError, RuntimeError):
            for detector, old in zip(detectors, before):
                detector.set_algorithm(old)
            raise

    def frames(self):
        """Frames that went all the way, lost ones included."""
        detected = [(part.detector.detected() + part.detector.skipped()) // part.length for part in self.sections]
        return min(self.effective.frames(), *detected) if detected else self.effective.frames()

    def lost_frames(self):
        """Frames that were cut short, had bad samples, or were missing between others."""
        return self.pilots.lost_frames() + (self.sync.lost_frames() if self.sync else 0)
