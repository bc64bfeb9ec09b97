# SPDX-License-Identifier: GPL-3.0-or-later
"""Hours in short: frames over the virtual radio without pause, with the memory of both processes watched."""

import argparse
import pathlib
import time

import numpy as np
import as_json
from radio_ends import short_plan
from radio_link import Link, account

RATE = 50e3
#: What either process may grow by in the last three quarters of the time, in MB.
MOST_GROWTH = 4.0
ARGUMENTS = "cfo=3750,ppm=3,phase_noise_k2=0.0236"


def resident_mb(pid):
    """Memory of a process in MB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def growth(seconds, resident):
    """MB by which memory rose from the end of the first quarter to the end, by the mean of a tenth at each."""
    seconds, resident = np.asarray(seconds), np.asarray(resident)
    whole = seconds[-1]
    early = resident[(seconds > 0.25 * whole) & (seconds <= 0.35 * whole)]
    late = resident[seconds > 0.9 * whole]
    return float(late.mean() - early.mean())


def measure(seconds=600.0, rate=RATE):
    """Runs both ends for ``seconds``."""
    plan = short_plan()
    frames = int(seconds * rate / plan.air_length)
    at, memory = [], dict(transmitter=[], receiver=[])
    with Link(ARGUMENTS, rate) as link:
        receiver = link.receiver().started()
        transmitter = link.transmitter(frames).started()
        ends = dict(transmitter=transmitter, receiver=receiver)
        begin = time.monotonic()
        while transmitter.process.poll() is None and time.monotonic() - begin < seconds:
            now = {name: resident_mb(end.process.pid) for name, end in ends.items()}
            if all(np.isfinite(value) for value in now.values()):
                at.append(time.monotonic() - begin)
                for name, value in now.items():
                    memory[name].append(value)
            time.sleep(max(min(2.0, seconds / 100), 0.1))
        result = receiver.result(stop=True, after=1.0)
    counts = [account(result, user) for user in range(plan.n_users)]
    return dict(
        seconds=at[-1],
        rate=rate,
        frames=frames,
        found=result["found"],
        wrong=result["wrong"],
        good=min(count["good"] for count in counts),
        reported=max(count["reported"] for count in counts),
        accounts=counts,
        overflows=result["overflows"],
        lost_samples=result["lost_samples"],
        growth_mb={name: growth(at, values) for name, values in memory.items()},
        peak_mb={name: max(values) for name, values in memory.items()},
    )


def failures(result, most_growth=MOST_GROWTH):
    """What must not be, as a list of texts."""
    texts = [
        f"the {name} grew by {value:.1f} MB" for name, value in result["growth_mb"].items() if not value < most_growth
    ]
    if result["wrong"]:
        texts.append(f"{result['wrong']} payloads were wrong")
    for user, count in enumerate(result["accounts"]):
        if not count["good"] or count["good"] + count["reported"] != count["span"]:
            texts.append(f"user {user}: {count}")
    return texts


def report(result):
    """The figures as text."""
    growth_text = ", ".join(f"{name} {value:+.2f} MB" for name, value in result["growth_mb"].items())
    return (
        f"{result['seconds']:.0f} s at {result['rate'] / 1e3:.0f} kHz, 4 RF chains: {result['found']} frames found, at "
        f"least {result['good']} whole at every user, {result['reported']} lost and reported, {result['wrong']} wrong; "
        f"{result['overflows']} overflows\n  memory from the first quarter on: {growth_text}; peak "
        + ", ".join(f"{name} {value:.0f} MB" for name, value in result["peak_mb"].items())
    )


def main():
    """Command line; exit status 1 where memory grew or a payload was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--json")
    options = parser.parse_args()
    result = measure(options.seconds, options.rate)
    print(report(result))
    as_json.save(result, options.json)
    wrong = failures(result)
    print("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
