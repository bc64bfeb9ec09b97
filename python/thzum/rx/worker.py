# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that would hold up the window, in a thread of its own."""

import threading

from PyQt5 import QtCore


class Worker(QtCore.QObject):
    """Runs one action at a time beside the window.

    Signal ``ended``: the error of the action, None if it went well; slots are called in the thread of the window.
    """

    ended = QtCore.pyqtSignal(object)

    def __init__(self, parent):
        QtCore.QObject.__init__(self, parent)
        self._thread = None

    def run(self, action):
        """Begin ``action``; the one before has to have ended."""
        self._thread = threading.Thread(target=self._run, args=(action,), daemon=True)
        self._thread.start()

    def _run(self, action):
        try:
            action()
        except Exception as error:
            self.ended.emit(error)
        else:
            self.ended.emit(None)

    def wait(self):
        """Until the action has ended."""
        if self._thread is not None:
            self._thread.join()
