# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of text to a device: over UDP, TCP or a serial port, with an answer to each where the device gives one."""

import socket
from urllib.parse import parse_qs, urlsplit

_FORMS = "udp://HOST:PORT, tcp://HOST:PORT or serial:DEVICE?baud=115200"


class _Socket:
    def __init__(self, parts, timeout):
        kind = socket.SOCK_DGRAM if parts.scheme == "udp" else socket.SOCK_STREAM
        family, _, _, _, address = socket.getaddrinfo(parts.hostname, parts.port, type=kind)[0]
        self._socket = socket.socket(family, kind)
        self._socket.settimeout(timeout)
        self._socket.connect(address)
        self._is_datagram = parts.scheme == "udp"
        self._received = b""

    def write(self, data):
        self._socket.sendall(data)

    def read_line(self):
        """The next line, b"" when none came in time."""
        try:
            if self._is_datagram:
                return self._socket.recv(2048)
            while b"\n" not in self._received:
                data = self._socket.recv(2048)
                if not data:
                    raise ConnectionError("the device closed the connection")
                self._received += data
        except TimeoutError:
            return b""
        line, _, self._received = self._received.partition(b"\n")
        return line

    def close(self):
        self._socket.close()


class _SerialPort:
    def __init__(self, parts, timeout):
        import serial

        baud = parse_qs(parts.query).get("baud", ["115200"])[0]
        if not baud.isdigit():
            raise ValueError(f"address: expected a number as baud, got {baud!r}")
        self._port = serial.Serial(parts.path, int(baud), timeout=timeout, write_timeout=timeout)

    def write(self, data):
        self._port.write(data)

    def read_line(self):
        """The next line, b"" when none came in time."""
        line = self._port.readline()
        return line if line.endswith(b"\n") else b""

    def close(self):
        self._port.close()


def _checked_address(address):
    parts = urlsplit(address)
    try:
        is_good = bool(parts.path) if parts.scheme == "serial" else bool(parts.hostname and parts.port)
    except ValueError:  # a port that is no number from 0 to 65535
        is_good = False
    if not is_good or parts.scheme not in ("udp", "tcp", "serial"):
        raise ValueError(f"address: expected {_FORMS}, got {address!r}")
    return parts


class CommandLink:
    """Sends commands to a device and checks its answers.

    Args:
        address: ``udp://HOST:PORT``, ``tcp://HOST:PORT`` or ``serial:DEVICE?baud=115200``.
        reply: what an answer begins with when a command was understood; "" waits for no answer.
        timeout: seconds to wait for the connection and for each answer.

    Raises:
        ValueError: another address.
        OSError: no connection.
    """

    def __init__(self, address, reply="", timeout=0.5):
        self._parts, self._timeout, self._reply = _checked_address(address), timeout, reply.encode()
        self._device = self._open()

    def _open(self):
        kind = _SerialPort if self._parts.scheme == "serial" else _Socket
        return kind(self._parts, self._timeout)

    def send(self, text):
        """Send ``text``; what the device answered instead of the reply expected, or None when all is well.

        After an OSError the next call connects again.
        """
        try:
            self._device = self._device or self._open()
            self._device.write(text.encode())
            line = self._device.read_line().strip() if self._reply else b""
        except OSError:
            self.close()
            raise
        return None if line.startswith(self._reply) else line.decode(errors="replace") or "no answer in time"

    def close(self):
        """Close the connection."""
        if self._device is not None:
            self._device.close()
        self._device = None
