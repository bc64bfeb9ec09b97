# SPDX-License-Identifier: GPL-3.0-or-later
"""QT GUI sinks of a receiver. Each is a block with ``widget()``; a timer of the widget draws what is new.

Blocks take items and messages in the scheduler's threads and only keep them; all drawing happens in the thread
of the Qt application, at most once in ``update_time`` seconds and not while the widget is hidden.
"""

from .constellation_sink import constellation_sink
from .history_sink import history_sink
from .path_sink import path_sink
from .spectrum_sink import angular_spectrum_sink

__all__ = ["angular_spectrum_sink", "constellation_sink", "history_sink", "path_sink"]
