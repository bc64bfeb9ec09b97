# SPDX-License-Identifier: GPL-3.0-or-later
"""Frame error rate over the virtual radio, and behind perfect synchronisation on the same channels."""

import argparse

import numpy as np
import pmt
from gnuradio import blocks, gr, thzum
from gnuradio.thzum.radio import ChannelChoice, make_setup
import as_json
from radio_ends import payload, payload_code, receiver, short_plan
from radio_link import Link
from sync import Air, lower_limit, upper_limit

RATE = 50e3
SNR_DB = 15.0
#: What the radio has and the simulation has not: 15 % of the symbol rate, 3 ppm.
OFFSETS = "cfo=3750,ppm=3"


class SymbolSource(gr.hier_block2):
    """Symbols [frames, S, n] of a perfect synchroniser with the tags that frame_sync sets."""

    def __init__(self, symbols):
        chains = symbols.shape[1]
        gr.hier_block2.__init__(
            self, "symbol_source", gr.io_signature(0, 0, 0), gr.io_signature(chains, chains, gr.sizeof_gr_complex)
        )
        tags = [_tag(i * symbols.shape[2], i) for i in range(len(symbols))]
        for chain in range(chains):
            stream = np.ascontiguousarray(symbols[:, chain]).ravel()
            self.connect(blocks.vector_source_c(stream.tolist(), False, 1, tags), (self, chain))

    def overflows(self):
        """None."""
        return 0

    lost_samples = received_samples = overflows


def _tag(offset, frame):
    tag = gr.tag_t()
    tag.offset, tag.key, tag.value = offset, pmt.intern("thzum_frame"), pmt.from_long(frame)
    return tag


def sent_samples(plan, frames):
    """Samples [K, n] of the users' frames."""
    top, sinks = gr.top_block(), [blocks.vector_sink_c() for _ in range(plan.n_users)]
    source = thzum.uplink_frame_source(plan.air, payload_code(plan))
    for user, sink in enumerate(sinks):
        content = b"".join(payload(user, frame) for frame in range(frames))
        top.connect(blocks.vector_source_b(list(content)), (source, user))
        top.connect((source, user), sink)
    top.run()
    return np.array([sink.data() for sink in sinks], np.complex64)


def simulated(plan, seed, frames, snr_db=SNR_DB):
    """Good frames of each user with the frames' places known and no offsets."""
    setup = make_setup(plan, ChannelChoice(seed=seed, rate=RATE))
    channel = thzum.uplink_channel(setup.channel)
    channel.set_noise_var(plan.n_users * 10 ** (-snr_db / 10))
    x = sent_samples(plan, frames)
    y = channel.process(np.concatenate([x, np.zeros((plan.n_users, 64), np.complex64)], axis=1))
    air = Air(plan)
    starts = channel.latency + plan.air_length * np.arange(frames)
    symbols = np.array([air.perfect(y, float(start), 0.0) for start in starts], np.complex64)
    graph = receiver(SymbolSource(symbols), plan, list(setup.beams), synchronised=True)
    graph.run()
    return [user["good"] for user in graph.result()["good"]]


def over_the_radio(plan, seed, frames, snr_db=SNR_DB):
    """Good frames of each user from process to process."""
    with Link(f"snr_db={snr_db},{OFFSETS}", RATE, seed) as link:
        end = link.receiver().started()
        link.transmitter(frames).result()
        # What the radio still holds goes on the air.
        result = end.result(stop=True, after=2.5)
    if result["overflows"]:
        return None
    return [user["good"] for user in result["good"]]


def measure(channels=40, frames=25, snr_db=SNR_DB):
    """Lost frames of all users, channel by channel, by both."""
    plan = short_plan()
    rows = []
    for seed in range(channels):
        radio = over_the_radio(plan, seed, frames, snr_db)
        if radio is None:
            continue  # the machine was too slow: that is no error of the air
        rows.append(dict(seed=seed, radio=radio, simulated=simulated(plan, seed, frames, snr_db)))
    sent = frames * plan.n_users * len(rows)
    lost = {name: sent - sum(sum(row[name]) for row in rows) for name in ("radio", "simulated")}
    return dict(
        snr_db=snr_db,
        channels=len(rows),
        skipped=channels - len(rows),
        frames=sent,
        lost=lost,
        rate={name: count / sent for name, count in lost.items()},
        limits={name: (lower_limit(count, sent), upper_limit(count, sent)) for name, count in lost.items()},
        ratio=lost["radio"] / lost["simulated"] if lost["simulated"] else float("nan"),
        rows=rows,
    )


def report(result):
    """The figures as text."""
    return (
        f"Frames of a user lost at {result['snr_db']:.0f} dB, {result['channels']} channels of 4 users "
        f"({result['skipped']} left out because the machine did not keep up)\n"
        f"  over the radio ({OFFSETS}): {result['lost']['radio']} of {result['frames']}, {result['rate']['radio']:.4f}\n"
        f"  perfect synchronisation: {result['lost']['simulated']} of {result['frames']}, "
        f"{result['rate']['simulated']:.4f}\n"
        + (
            f"  ratio {result['ratio']:.2f}"
            if result["lost"]["simulated"]
            else f"  no frame lost: below {result['limits']['radio'][1]:.1e} over the radio (95 %)"
        )
    )


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=40)
    parser.add_argument("--frames", type=int, default=25)
    parser.add_argument("--snr-db", type=float, default=SNR_DB)
    parser.add_argument("--json")
    options = parser.parse_args()
    result = measure(options.channels, options.frames, options.snr_db)
    print(report(result))
    as_json.save(result, options.json)


if __name__ == "__main__":
    main()
