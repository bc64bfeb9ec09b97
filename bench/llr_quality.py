# SPDX-License-Identifier: GPL-3.0-or-later
"""Soft bits of the MIMO detectors: information, calibration, and code words lost behind gr-fec's LDPC decoder."""

import argparse

import numpy as np
from gnuradio import blocks, fec, gr

from gnuradio import thzum
from gnuradio.thzum import plots
from gnuradio.thzum.frame import ldpc_decoder, ldpc_file
from gnuradio.thzum.simulation import rate_interval

import as_json

N_RX, N_TX, CONSTELLATION = 32, 24, "16qam"
SNR_DB = (9.0, 10.0, 11.0, 12.0)
#: The rate-1/2 code that GNU Radio installs: 152 information bits in 300.
CODE = "n_0300_k_0152_gap_03"
WORDS = 960
#: Block error rate at which detectors are compared.
TARGET = 0.1
#: Soft bits are sorted by magnitude into bins of this width for the calibration.
BIN, LARGEST = 1.0, 14.0


def encode(bits):
    """Code words, uint8 [n, 300], of information bits [n, 152]."""
    source, sink = blocks.vector_source_b(bits.ravel().tolist()), blocks.vector_sink_b()
    _run(source, fec.encoder(fec.ldpc_encoder.make(ldpc_file(CODE)), 1, 1), sink)
    return np.array(sink.data(), np.uint8).reshape(len(bits), -1)


def decode(llr):
    """Information bits, uint8 [users * blocks, 152], out of soft bits [blocks * symbols, users, bits]."""
    n_users, n_bits = llr.shape[1:]
    decoder = ldpc_decoder(CODE)
    n_coded, n_info = fec.get_decoder_input_size(decoder), fec.get_decoder_output_size(decoder)
    source, sink = blocks.vector_source_f(np.ravel(llr).tolist(), False, n_users * n_bits), blocks.vector_sink_b()
    order = thzum.user_soft_bits(n_users, n_bits, n_coded // n_bits)
    _run(source, order, fec.decoder(decoder, gr.sizeof_float, 1), sink)
    return np.array(sink.data(), np.uint8).reshape(-1, n_info)


def link(snr_db, words, seed=1):
    """Coded bits over i.i.d. channels, one for each vector: H, y, noise variance, information and coded bits."""
    rng = np.random.default_rng(seed)
    n_bits = thzum.detector("mf", 1, 1, CONSTELLATION).bits_per_symbol
    info = rng.integers(0, 2, (words, 152)).astype(np.uint8)
    # [block][user][symbol][bit] of the words becomes [block * symbol][user][bit] of the vectors.
    coded = encode(info).reshape(-1, N_TX, 300 // n_bits, n_bits).transpose(0, 2, 1, 3).reshape(-1, N_TX, n_bits)
    symbols = coded @ (1 << np.arange(n_bits - 1, -1, -1))
    x = thzum.constellation_points(CONSTELLATION)[symbols]
    noise_var = N_TX / N_RX / 10 ** (snr_db / 10)

    def normal(*shape):
        parts = rng.standard_normal((*shape, 2), dtype=np.float32) * np.float32(np.sqrt(0.5))
        return parts.view(np.complex64)[..., 0]

    H = normal(len(x), N_RX, N_TX) / np.float32(np.sqrt(N_RX))
    y = (H @ x[..., None])[..., 0] + np.float32(np.sqrt(noise_var)) * normal(len(x), N_RX)
    return H, y.astype(np.complex64), noise_var, info, coded


def information(llr, bits):
    """Bits per bit that soft bits offer: (as they are, with the best common factor, that factor).

    1 - E log2(1 + exp(-s L)), L the soft bit in favour of the bit sent. It is the mutual information if L is a true
    log-likelihood ratio and s = 1; the largest over s is what a decoder can have that knows the factor (generalised
    mutual information).
    """
    favour = np.where(bits == 1, -llr, llr).astype(float).ravel()
    factors = np.geomspace(0.25, 4, 33)
    offered = [1 - np.mean(np.logaddexp(0, -factor * favour)) / np.log(2) for factor in factors]
    best = int(np.argmax(offered))
    return float(1 - np.mean(np.logaddexp(0, -favour)) / np.log(2)), float(offered[best]), float(factors[best])


def calibration(llr, bits):
    """By magnitude of the soft bit: mean magnitude, and the log odds of its sign being right, as counted.

    Bins with fewer than 30 soft bits, right or wrong, are left out.
    """
    magnitude, right = np.abs(llr).ravel(), ((llr < 0) == (bits == 1)).ravel()
    claimed, counted = [], []
    for low in np.arange(0, LARGEST, BIN):
        inside = (magnitude >= low) & (magnitude < low + BIN)
        good = int(right[inside].sum())
        bad = int(inside.sum()) - good
        if min(good, bad) >= 30:
            claimed.append(float(magnitude[inside].mean()))
            counted.append(float(np.log(good / bad)))
    return {"claimed": claimed, "counted": counted}


def measure(words=WORDS, snr_db=SNR_DB, detectors=None, figure=None):
    """{detector: {"snr_db", "bler", "interval", "information", "best_factor", "calibration"}} and SNRs at 10 %.

    ``words`` is a multiple of the users; ``detectors`` defaults to all of the registry but mf and zf.
    """
    names = detectors or [name for name in thzum.detectors() if name not in ("mf", "zf")]
    results = {name: {key: [] for key in ("bler", "interval", "information", "best_factor")} for name in names}
    for snr in snr_db:
        H, y, noise_var, info, coded = link(snr, words)
        for name in names:
            _, llr = thzum.detector(name, N_RX, N_TX, CONSTELLATION).detect(H, y, noise_var)
            lost = (decode(llr) != info).any(axis=1)
            offered, _, factor = information(llr, coded)
            # Words of a block share their channels, so that blocks count as what is independent.
            bler, low, high = rate_interval(lost.reshape(-1, N_TX).mean(axis=1))
            found = results[name]
            found["bler"].append(bler)
            found["interval"].append([low, high])
            found["information"].append(offered)
            found["best_factor"].append(factor)
            if snr == snr_db[len(snr_db) // 2]:
                found["calibration"] = calibration(llr, coded)
    for found in results.values():
        found["snr_at_target"] = _crossing(snr_db, found["bler"], TARGET)
    results = {"snr_db": list(snr_db), "words": words, "detectors": results}
    if figure is not None:
        plot(results, figure)
    return results


def report(results):
    """A table in Markdown: SNR at which a tenth of the code words is lost, information and calibration."""
    middle = len(results["snr_db"]) // 2
    ep = results["detectors"].get("ep", {}).get("snr_at_target", np.nan)
    lines = [
        f"| detector | SNR at a block error rate of {TARGET:g} (dB) | against EP (dB) "
        f"| information per bit at {results['snr_db'][middle]:g} dB | best factor of its soft bits there |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, found in results["detectors"].items():
        at = found["snr_at_target"]
        lines.append(
            f"| {name} | {at:.2f} | {at - ep:+.2f} | {found['information'][middle]:.3f} "
            f"| {found['best_factor'][middle]:.2f} |"
        )
    return "\n".join(lines)


def figures(results, folder):
    """Draws llr_quality.svg and .png into a folder."""
    for suffix in ("svg", "png"):
        plot(results, folder / f"llr_quality.{suffix}")


def plot(results, path):
    """Block error rate, information and calibration, side by side."""
    drawn = plots.new_figure(13.0, 4.4)
    panels = drawn.subplots(1, 3)
    for (name, found), colour in zip(results["detectors"].items(), plots.COLOURS):
        style = dict(color=colour, marker="o", markersize=4, label=name)
        low, high = np.transpose(found["interval"])
        bler = np.array(found["bler"])
        shown = bler > 0
        bars = [(bler - low)[shown], (high - bler)[shown]]
        panels[0].errorbar(np.array(results["snr_db"])[shown], bler[shown], yerr=bars, capsize=3, **style)
        panels[1].plot(results["snr_db"], found["information"], **style)
        panels[2].plot(found["calibration"]["claimed"], found["calibration"]["counted"], **style)
    panels[0].set(yscale="log", xlabel="SNR (dB)", ylabel="code words lost", title="LDPC (300, 152), gr-fec")
    panels[1].set(xlabel="SNR (dB)", ylabel="information per coded bit", title="what the soft bits offer")
    middle = results["snr_db"][len(results["snr_db"]) // 2]
    panels[2].plot([0, LARGEST], [0, LARGEST], color="0.6", linewidth=1)
    panels[2].set(xlabel="magnitude of the soft bit", ylabel="log odds as counted")
    panels[2].set_title(f"calibration at {middle:g} dB")
    for panel in panels:
        panel.grid(alpha=0.3)
    panels[0].legend(fontsize=8, frameon=False)
    drawn.tight_layout()
    drawn.savefig(path, dpi=150)


def _run(*chain):
    flowgraph = gr.top_block()
    flowgraph.connect(*chain)
    flowgraph.run()


def _crossing(snr_db, rates, target):
    """SNR at which the rate falls to the target, linear in the logarithm; NaN where it does not."""
    for k in range(len(rates) - 1):
        if rates[k] >= target > rates[k + 1]:
            high, low = np.log(rates[k]), np.log(max(rates[k + 1], 1e-4))
            return float(snr_db[k] + (high - np.log(target)) / (high - low) * (snr_db[k + 1] - snr_db[k]))
    return float("nan")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=WORDS, help="code words per point, a multiple of 24")
    parser.add_argument("--snr", type=float, nargs="+", default=list(SNR_DB), help="SNRs in dB")
    parser.add_argument("--figure", help="file to draw")
    parser.add_argument("--json", help="file to write the figures to")
    options = parser.parse_args()
    found = measure(options.words, options.snr, figure=options.figure)
    as_json.save(found, options.json)
    print(report(found))
