# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a radio and what becomes of the frames: transmitter process, virtual radio, receiver process."""

import argparse
import json
import pathlib
import signal
import time
from dataclasses import dataclass

import as_json
from radio_ends import short_plan
from radio_link import Link, account

RATE = 50e3  # of samples, so that a busy machine keeps up
FRAMES = 60
FRAME_SECONDS = short_plan().air_length / RATE
TABLE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "faults.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


@dataclass(frozen=True)
class Fault:
    """A fault and what a user sees of it.

    Attributes:
        name, seen: for the table.
        arguments: of the radio.
        change: a setting (key, value) of it half-way.
        act: what happens instead, a function of link, fault and number of frames that returns the receiver's counts.
    """

    name: str
    seen: str
    arguments: str = ""
    change: tuple = ()
    act: object = None


def _plain(link, fault, frames):
    receiver = link.receiver().started()
    transmitter = link.transmitter(frames).started()
    if fault.change:
        time.sleep(0.5 * frames * FRAME_SECONDS)
        receiver.change(*fault.change)
    return _finish(transmitter, receiver)


def _late_receiver(link, fault, frames):
    receiver = link.receiver("--hold").ready()
    transmitter = link.transmitter(frames).started()
    time.sleep(0.5 * frames * FRAME_SECONDS)
    receiver.go()
    return _finish(transmitter, receiver)


def _restarted_receiver(link, fault, frames):
    first, second = link.receiver().started(), link.receiver("--hold").ready()
    transmitter = link.transmitter(frames).started()
    time.sleep(0.5 * frames * FRAME_SECONDS)
    first.kill()
    second.go()
    return _finish(transmitter, second)


def _restarted_transmitter(link, fault, frames):
    receiver = link.receiver().started()
    first = link.transmitter(frames).started()
    time.sleep(0.5 * frames * FRAME_SECONDS)
    first.kill()
    result = _finish(link.transmitter(frames // 2, "--first", frames).started(), receiver)
    for count in result["good"]:
        count.update(first=0, last=count["good"] - 1)  # numbers begin anew
    return result | dict(sent=f"killed, then {frames // 2}")


def _stopped(which, seconds):
    def act(link, fault, frames):
        receiver = link.receiver().started()
        transmitter = link.transmitter(frames).started()
        time.sleep(0.5 * frames * FRAME_SECONDS)
        end = receiver if which == "receiver" else transmitter
        end.send(signal.SIGSTOP)
        time.sleep(seconds)
        end.send(signal.SIGCONT)
        return _finish(transmitter, receiver)

    return act


FAULTS = [
    Fault("none", "every frame"),
    Fault("carrier off by 15 % of the symbol rate", "`cfo` of each frame in the report of Frame Sync", "cfo=3750"),
    Fault("receiver's clock 10 ppm fast", "nothing: timing is found anew in each frame", "ppm=10"),
    Fault(
        "phase noise, Wiener with k2 = 0.0236",
        "`phase_rms` in the report of Frame Sync",
        "phase_noise_k2=0.0236",
    ),
    Fault("all three", "`cfo` and `phase_rms` in the report", "cfo=-3750,ppm=-10,phase_noise_k2=0.0236"),
    Fault(
        "users' own oscillators, up to 1e-3 of the symbol rate apart",
        "`user_cfo` in the report of Frame Sync",
        "user_cfo=12;-9;3;-12",
    ),
    Fault(
        "gain of a chain steps by 6 dB every 0.5 s",
        "`noise_var` of that chain in the report of Frame Sync",
        "gain_step_db=6,gain_step_period=0.5,gain_step_chain=1",
    ),
    Fault(
        "a chain dies",
        "`noise_var` of that chain is 0 in the report of Frame Sync; three chains do not tell four users apart",
        change=("dead", 2),
    ),
    Fault(
        "500 samples dropped every 0.7 s, reported",
        "`O` in the log, tag `thzum_lost`, report of the source; the frame is skipped",
        "drop_samples=500,drop_period=0.7",
    ),
    Fault(
        "500 samples dropped every 0.7 s, silently",
        "frame cut short or its checksum wrong, in `lost` of Frame Sync and Uplink Payload",
        "drop_samples=500,drop_period=0.7,drop_silent=true",
    ),
    Fault(
        "receiver stalls for 1.2 s",
        "`O` in the log, overflow with the jump in time, NaN in its place, frames counted as lost",
        "room=65536",
        act=_stopped("receiver", 1.2),
    ),
    Fault(
        "transmitter stalls for 1 s",
        "`U` in the transmitter's log, underflow on its status stream, silence; the frames cut by it are lost",
        "room=65536",
        act=_stopped("transmitter", 1.0),
    ),
    Fault("receiver starts late", "frames from then on", act=_late_receiver),
    Fault("receiver is killed and started again", "frames from then on", act=_restarted_receiver),
    Fault(
        "transmitter is killed and started again",
        "silence between; numbers begin anew",
        act=_restarted_transmitter,
    ),
]


def fault(name):
    """The fault of that name."""
    return next(each for each in FAULTS if each.name == name)


def run(each, frames=FRAMES, rate=RATE):
    """What became of ``frames`` frames of each of 4 users under a fault, as a dictionary."""
    with Link(each.arguments, rate) as link:
        result = (each.act or _plain)(link, each, frames)
    counts = [account(result, user) for user in range(4)]
    return dict(
        name=each.name,
        sent=result.get("sent", frames),
        underflows=result["underflows"],
        good=min(count["good"] for count in counts),
        wrong=result["wrong"],
        accounts=counts,
        overflows=result["overflows"],
        lost_samples=result["lost_samples"],
        sync_lost=result["sync_lost"],
        bad_checksums=max(map(sum, zip(result["bad_headers"], result["bad_payloads"]))),
        result=result,
    )


def _finish(transmitter, receiver):
    transmitter.result()
    # What the radio still holds goes on the air.
    return receiver.result(stop=True, after=2.0) | dict(underflows=transmitter.errors.count("U"))


def measure(frames=FRAMES):
    """All faults, one after the other."""
    return [run(each, frames) for each in FAULTS]


def report(rows):
    """The table in Markdown."""
    lines = [
        "| fault | what the user sees | sent | good | lost and reported | wrong bytes |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for each, row in zip(FAULTS, rows):
        counts = row["accounts"]
        reported = max(count["reported"] for count in counts)
        outside = row["sent"] - min(count["span"] for count in counts) if isinstance(row["sent"], int) else 0
        lost = f"{reported}" + (
            f", and {outside} before the first or behind the last good one" if outside > 0 else ""
        )
        if row["bad_checksums"]:
            lost += f"; {row['bad_checksums']} checksums wrong"
        lines.append(f"| {each.name} | {each.seen} | {row['sent']} | {row['good']} | {lost} | {row['wrong']} |")
    return "\n".join(lines)


def write_table(text, path=TABLE):
    """Puts the table into docs/faults.md between its marks."""
    page = path.read_text()
    head, rest = page.split(BEGIN)
    path.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--write", action="store_true", help="also write the table into docs/faults.md")
    parser.add_argument("--only", metavar="WORD", help="faults whose name has this word")
    parser.add_argument("--json")
    options = parser.parse_args()
    if options.only:
        for each in FAULTS:
            if options.only in each.name:
                row = run(each, options.frames)
                row.pop("result")
                print(json.dumps(row))
        return
    rows = measure(options.frames)
    print(report(rows))
    as_json.save(rows, options.json)
    if options.write:
        write_table(report(rows))


if __name__ == "__main__":
    main()
