# SPDX-License-Identifier: GPL-3.0-or-later
"""SDR in the loop: transmitter process, virtual radio, receiver process, with what can go wrong between them."""

import sys

import pytest
from gnuradio import thzum

if not thzum.soapy_source.is_available():
    pytest.skip("built without SoapySDR", allow_module_level=True)

FRAMES = 30


@pytest.fixture(scope="module")
def bench(root):
    sys.path.insert(0, str(root / "bench"))
    yield
    sys.path.remove(str(root / "bench"))


@pytest.fixture(scope="module")
def faults(bench):
    import faults

    return faults


#: By name: share of the 30 frames that at least one user has to get, whatever the machine does besides. What is
#: lost at the beginning of a receiver, and to stalls, depends on when they come.
LEAST = {
    "all three": 0.9,
    "gain of a chain steps by 6 dB every 0.5 s": 0.8,
    "a chain dies": 0.8,
    "500 samples dropped every 0.7 s, reported": 0.6,
    "500 samples dropped every 0.7 s, silently": 0.5,
    "receiver stalls for 1.2 s": 0.3,
    "transmitter stalls for 1 s": 0.7,
    "receiver starts late": 0.2,
    "receiver is killed and started again": 0.2,
    "transmitter is killed and started again": 0.6,
}


@pytest.mark.parametrize("name", LEAST)
def test_payload_arrives_byte_for_byte_or_is_reported_lost(faults, name):
    row = faults.run(faults.fault(name), FRAMES)
    assert row["wrong"] == 0
    best = max(row["accounts"], key=lambda account: account["good"])
    assert best["good"] >= LEAST[name] * FRAMES, row["accounts"]
    for account in row["accounts"]:
        assert account["good"] + account["reported"] == account["span"], row["accounts"]
    if "dropped" in name and "reported" in name:
        assert row["overflows"] > 0 and row["lost_samples"] == 500 * row["overflows"]
    if "silently" in name:
        assert row["lost_samples"] == 0 and row["sync_lost"] + sum(row["result"]["bad_payloads"]) > 0
    if name == "a chain dies":
        # Three chains do not tell four users apart, but most of them are still received.
        assert sum(account["good"] >= 0.8 * FRAMES for account in row["accounts"]) >= 2


def test_table_of_faults_is_complete(faults, root):
    page = (root / "docs" / "faults.md").read_text()
    for fault in faults.FAULTS:
        assert f"| {fault.name} |" in page
    assert set(LEAST) <= {fault.name for fault in faults.FAULTS}


def test_ten_seconds_leave_the_memory_as_it_is(bench):
    import soak

    result = soak.measure(10.0)
    # Ten minutes may grow by 4 MB; within ten seconds libraries still take what they keep.
    assert soak.failures(result, most_growth=12.0) == [], result
    assert result["good"] > 20
