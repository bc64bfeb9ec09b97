# SPDX-License-Identifier: GPL-3.0-or-later
"""GNU Radio source block: random MIMO channels with the vectors received through them and the symbols sent."""

import threading

import numpy as np
import pmt
from gnuradio import gr

from .channel.hardware.checks import integer, real
from .simulation.mimo_scenario import MimoScenario, complex_normal
from .thzum_python import constellation_points

_TAG = pmt.intern("thzum_noise_var")

#: Items of one draw: a change of the settings is felt after at most as many.
_MOST_ITEMS = 64


class mimo_link_source(gr.sync_block):
    """Uses of a random MIMO channel, a new one for each vector: what detectors are compared on.

    Outputs, one item each per use: 0 H, complex64 vectors of n_rx * n_tx, row-major, as the receiver knows it;
    1 y = H x + n, complex64 vectors of n_rx; 2 the symbols sent, int32 vectors of n_tx, -1 for users that are
    absent, whose columns of H are zero. Tag on H: thzum_noise_var (double).

    Entries of H have variance 1/n_rx; SNR is E||Hx||^2 / E||n||^2, so noise_var = (users / n_rx) / SNR.

    Args:
        n_rx, n_tx: RF chains, and users at most.
        constellation: a name of ``thzum.constellations()``.
        snr_db: SNR in dB, -100 to 100.
        users: how many of the n_tx send, the first; None = all.
        rx_correlation: of neighbouring RF chains, from 0 and below 1.
        csi_error_db: error variance of the known channel over the channel's, in dB, -300 to 20; None = no error.
        seed: of all draws.
        n_items: uses after which the source ends; 0 = endless.

    Raises:
        ValueError: naming the argument, what was expected and what came.
    """

    def __init__(
        self, n_rx=32, n_tx=24, constellation="qpsk", snr_db=10.0, users=None, rx_correlation=0.0,
        csi_error_db=None, seed=0, n_items=0,
    ):
        self._lock = threading.Lock()
        self._settings = dict(
            n_rx=n_rx, n_tx=n_tx, constellation=constellation, rx_correlation=rx_correlation,
            csi_error_db=csi_error_db,
        )
        self._n_tx = integer("n_tx", n_tx, 1, 1024)
        self._scenario = MimoScenario(**self._settings)
        self._users = self._n_tx if users is None else integer("users", users, 1, self._n_tx)
        self._snr_db = self._checked_snr(snr_db)
        self._seed = integer("seed", seed, 0)
        self._n_items = integer("n_items", n_items, 0)
        out_sig = [(np.complex64, n_rx * n_tx), (np.complex64, n_rx), (np.int32, n_tx)]
        gr.sync_block.__init__(self, name="thzum_mimo_link_source", in_sig=None, out_sig=out_sig)
        self.start()

    @staticmethod
    def _checked_snr(snr_db):
        return real("snr_db", snr_db, low=-100, high=100)

    def start(self):
        """Begin with the first draw whenever the flowgraph starts."""
        self._rng = np.random.default_rng(self._seed)
        self._made = 0
        return True

    def set_snr_db(self, snr_db):
        """SNR in dB from the next uses on."""
        self._snr_db = self._checked_snr(snr_db)

    def snr_db(self):
        """SNR in dB."""
        return self._snr_db

    def set_users(self, users):
        """How many users send from the next uses on, 1 to n_tx."""
        self._users = integer("users", users, 1, self._n_tx)

    def users(self):
        """How many users send."""
        return self._users

    def set_constellation(self, constellation):
        """Another constellation from the next uses on."""
        self._change(constellation=constellation)

    def constellation(self):
        """Name of the constellation."""
        return self._scenario.constellation

    def set_rx_correlation(self, rx_correlation):
        """Another correlation of neighbouring RF chains from the next uses on."""
        self._change(rx_correlation=rx_correlation)

    def set_csi_error_db(self, csi_error_db):
        """Another error of the known channel from the next uses on; None = no error."""
        self._change(csi_error_db=csi_error_db)

    def _change(self, **settings):
        with self._lock:
            self._scenario = MimoScenario(**{**self._settings, **settings})
            self._settings.update(settings)

    def work(self, input_items, output_items):
        """Draws a few uses; see the class."""
        count = min(len(output_items[0]), _MOST_ITEMS)
        if self._n_items:
            count = min(count, self._n_items - self._made)
            if not count:
                return -1
        scenario, users = self._scenario, self._users
        n_rx = scenario.n_rx
        noise_var = users / n_rx / 10 ** (self._snr_db / 10)
        H, known = scenario.channels(count, self._rng)
        known[..., users:] = 0
        points = constellation_points(scenario.constellation)
        sent = self._rng.integers(0, len(points), (count, self._n_tx))
        y = (H[..., :users] @ points[sent[:, :users, None]])[..., 0]
        y += np.float32(np.sqrt(noise_var)) * complex_normal(self._rng, y.shape)
        output_items[0][:count] = known.reshape(count, -1)
        output_items[1][:count] = y
        output_items[2][:count] = sent
        output_items[2][:count, users:] = -1
        offset, value = self.nitems_written(0), pmt.from_double(noise_var)
        for item in range(count):
            self.add_item_tag(0, offset + item, _TAG, value)
        self._made += count
        return count
