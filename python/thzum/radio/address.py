# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of sources: what kind each is, checked before anything is opened."""

import re
from dataclasses import dataclass

#: What an address may look like, for error messages.
FORMS = '"driver=NAME,..." (SoapySDR), "tcp://HOST:PORT" or "ipc://PATH" (ZeroMQ), or the path of a SigMF recording'

_TCP = re.compile(r"tcp://(?P<host>\[[0-9A-Fa-f:]+\]|[^\s:/\[\]]+):(?P<port>\d+)")
_IPC = re.compile(r"ipc://\S+")
_DEVICE = re.compile(r"\s*[\w.]+\s*=")


@dataclass(frozen=True)
class Address:
    """An address taken apart.

    Attributes:
        kind: "soapy", "zmq" or "recording".
        target: device arguments, ZeroMQ endpoint, or path ("" is the shipped recording).
        options: for ZeroMQ {"pattern": "pull" or "sub", "bind": bool, "tags": bool}.
    """

    kind: str
    target: str
    options: dict


def parse_address(address):
    """The :class:`Address` of a text.

    Raises:
        ValueError: not a text, or one that is none of the known forms.
    """
    if not isinstance(address, str):
        if not hasattr(address, "__fspath__"):
            raise ValueError(f"address: expected {FORMS}, got {address!r}")
        return Address("recording", str(address), {})
    text = address.strip()
    if "://" in text:
        return _zmq(text)
    if _DEVICE.match(text):
        return Address("soapy", _checked_device(text), {})
    return Address("recording", text, {})


def device_arguments(text):
    """{key: value} of SoapySDR arguments "key=value,key=value".

    Raises:
        ValueError: a piece without "=", a key that comes twice.
    """
    arguments = {}
    for piece in filter(None, (piece.strip() for piece in text.split(","))):
        key, equals, value = (part.strip() for part in piece.partition("="))
        if not equals or not key:
            raise ValueError(f"address: expected key=value between commas, got {piece!r} in {text!r}")
        if key in arguments:
            raise ValueError(f"address: {key} is given twice in {text!r}")
        arguments[key] = value
    return arguments


def join_arguments(arguments):
    """Arguments as the text that :func:`device_arguments` reads."""
    for key, value in arguments.items():
        if "," in str(value):
            raise ValueError(f"{key}: expected a value without commas, which separate arguments, got {value!r}")
    return ",".join(f"{key}={value}" for key, value in arguments.items())


def _checked_device(text):
    if not device_arguments(text).get("driver"):
        raise ValueError(f"address: expected driver=NAME among the device arguments, got {text!r}")
    return text


def _zmq(text):
    endpoint, _, query = text.removeprefix("zmq+").partition("?")
    options = {"pattern": "pull", "bind": False, "tags": False}
    for word in filter(None, query.split("&")):
        if word in ("pull", "sub"):
            options["pattern"] = word
        elif word in ("bind", "tags"):
            options[word] = True
        else:
            expected = "?pull, ?sub, ?bind or ?tags (joined by &) behind a ZeroMQ endpoint"
            raise ValueError(f"address: expected {expected}, got {word!r}")
    tcp = _TCP.fullmatch(endpoint)
    if not tcp and not _IPC.fullmatch(endpoint):
        raise ValueError(f"address: expected {FORMS}, got {text!r}")
    if tcp and not 1 <= int(tcp["port"]) <= 65535:
        raise ValueError(f"address: expected a port from 1 to 65535, got {tcp['port']} in {text!r}")
    return Address("zmq", endpoint, options)
