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


#: By name: share of the 30 frames that at least one user has to get where the machine keeps up, and the samples that
#: the fault itself takes at a time. What is lost at the beginning of a receiver, and to stalls, depends on when they come.
LEAST = {
    "users' own oscillators, up to 1e-3 of the symbol rate apart": (0.9, 0),
    "all three": (0.9, 0),
    "gain of a chain steps by 6 dB every 0.5 s": (0.8, 0),
    "a chain dies": (0.9, 0),
    "500 samples dropped every 0.7 s, reported": (0.6, 500),
    "500 samples dropped every 0.7 s, silently": (0.5, 0),
    "receiver stalls for 1.2 s": (0.3, None),
    "transmitter stalls for 1 s": (0.7, 0),
    "receiver starts late": (0.2, 0),
    "receiver is killed and started again": (0.2, 0),
    "transmitter is killed and started again": (0.6, 0),
}


def kept_up(row, step):
    """Whether nothing but the fault made samples come late: a machine too busy for real time is no error."""
    if row["underflows"] > (3 if "stalls" in row["name"] else 0):
        return False
    return step is None or row["lost_samples"] == step * row["overflows"]


@pytest.mark.parametrize("name", LEAST)
def test_payload_arrives_byte_for_byte_or_is_reported_lost(faults, name):
    least, step = LEAST[name]
    for _ in range(2):
        row = faults.run(faults.fault(name), FRAMES)
        assert row["wrong"] == 0
        for account in row["accounts"]:
            assert account["good"] + account["reported"] == account["span"], row["accounts"]
        if kept_up(row, step):
            break
    else:
        pytest.skip("the machine did not keep up with 50 kHz; every payload was right or reported lost")
    best = max(row["accounts"], key=lambda account: account["good"])
    assert best["good"] >= least * FRAMES, row
    if step:
        assert row["overflows"] > 0
    if "silently" in name:
        assert row["sync_lost"] + row["bad_checksums"] > 0
    if name == "a chain dies":
        # Three chains do not tell four users apart, but most of them are still received, and the rest is known.
        assert sum(account["good"] >= 0.8 * FRAMES for account in row["accounts"]) >= 2
        assert row["bad_checksums"] > 0


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
