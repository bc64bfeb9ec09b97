/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "detection/detector_base.h"
#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

void check_size(const char* name, int value, int max)
{
    if (value < 1 || value > max) {
        std::ostringstream message;
        message << "detector: " << name << " expects an integer from 1 to " << max << ", got "
                << value;
        throw std::invalid_argument(message.str());
    }
}

typedef int32_t float_bits __attribute__((may_alias));

/*! Per column the OR of all its bits but the signs, and the largest of them as an integer: zero for
 * a column of zeros, from infinity's bits on where a value is not finite. */
THZUM_MULTIVERSION
void column_bits(const float_bits* H, int rows, int width, int32_t* any, int32_t* largest)
{
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < width; k++) {
            const int32_t bits = H[static_cast<long>(r) * width + k] & 0x7fffffff;
            any[k] |= bits;
            largest[k] = bits > largest[k] ? bits : largest[k];
        }
}

void check_noise_var(float noise_var)
{
    if (!(noise_var > 0.0f) || !std::isfinite(noise_var))
        throw std::invalid_argument("noise_var: expected a finite value > 0, got " +
                                    std::to_string(noise_var));
}

} // namespace

option_info llr_option()
{
    return { "llr",
             std::string("max_log"),
             "bit log-likelihood ratios: 'max_log' (nearest level of each bit value) or 'log_map' "
             "(exact for Gaussian error, slower)" };
}

detector_base::detector_base(const std::string& name,
                             const detector_sizes& sizes,
                             const option_reader& options)
    : d_name(name),
      d_n_rx(sizes.n_rx),
      d_n_tx(sizes.n_tx),
      d_llr_method(options.choice("llr", { "max_log", "log_map" })),
      d_demapper(find_constellation(sizes.constellation), d_llr_method == "log_map")
{
    check_size("n_rx", d_n_rx, 4096);
    check_size("n_tx", d_n_tx, 1024);
    d_active.reserve(d_n_tx);
    d_absent.reserve(d_n_tx);
    d_any_bits.resize(2 * d_n_tx);
    d_largest_bits.resize(2 * d_n_tx);
    d_channel.resize(static_cast<size_t>(d_n_rx) * d_n_tx);
    d_x_hat.resize(static_cast<size_t>(piece) * d_n_tx);
    d_variance.resize(static_cast<size_t>(piece) * d_n_tx);
}

void detector_base::find_active(const gr_complex* H)
{
    constexpr int32_t infinity = 0x7f800000;
    std::fill(d_any_bits.begin(), d_any_bits.end(), 0);
    std::fill(d_largest_bits.begin(), d_largest_bits.end(), 0);
    column_bits(reinterpret_cast<const float_bits*>(H),
                d_n_rx,
                2 * d_n_tx,
                d_any_bits.data(),
                d_largest_bits.data());
    for (const int32_t largest : d_largest_bits)
        if (largest >= infinity)
            throw std::invalid_argument("H: expected finite values, got NaN or Inf");
    d_active.clear();
    d_absent.clear();
    for (int k = 0; k < d_n_tx; k++)
        (d_any_bits[2 * k] | d_any_bits[2 * k + 1] ? d_active : d_absent).push_back(k);
}

void detector_base::set_channel(const gr_complex* H, float noise_var)
{
    check_noise_var(noise_var);
    find_active(H);
    const int n_active = static_cast<int>(d_active.size());
    const gr_complex* present = H;
    if (!d_absent.empty()) {
        for (int r = 0; r < d_n_rx; r++)
            for (int a = 0; a < n_active; a++)
                d_channel[r * n_active + a] = H[r * d_n_tx + d_active[a]];
        present = d_channel.data();
    }
    prepare(present, n_active, noise_var);
    d_has_channel = true;
}

void detector_base::detect(const gr_complex* y,
                           int count,
                           int32_t* symbols,
                           float* llr,
                           gr_complex* x_hat,
                           float* variance)
{
    if (!d_has_channel)
        throw std::logic_error(d_name + ": call set_channel() before detect()");
    const int bits = bits_per_symbol();
    for (int first = 0; first < count; first += piece) {
        const int n = std::min(piece, count - first);
        const size_t offset = static_cast<size_t>(first) * d_n_tx;
        gr_complex* x = x_hat ? x_hat + offset : d_x_hat.data();
        float* v = variance ? variance + offset : d_variance.data();
        float* l = llr ? llr + offset * bits : nullptr;
        decide(y + static_cast<size_t>(first) * d_n_rx, n, symbols + offset, l, x, v);
        silence_absent(n, symbols + offset, l, x, v);
    }
}

void detector_base::decide(const gr_complex* y,
                           int count,
                           int32_t* symbols,
                           float* llr,
                           gr_complex* x_hat,
                           float* variance)
{
    equalise(y, count, x_hat, variance);
    d_demapper.demap(x_hat, variance, count * d_n_tx, symbols, llr);
}

void detector_base::silence_absent(
    int count, int32_t* symbols, float* llr, gr_complex* x_hat, float* variance)
{
    const int bits = bits_per_symbol();
    for (int i = 0; i < count; i++)
        for (const int k : d_absent) {
            const int at = i * d_n_tx + k;
            symbols[at] = -1;
            x_hat[at] = 0.0f;
            variance[at] = 1.0f;
            if (llr != nullptr)
                std::fill_n(llr + at * bits, bits, 0.0f);
        }
}

std::string detector_base::repr() const
{
    std::ostringstream out;
    out << "detector('" << d_name << "', n_rx=" << d_n_rx << ", n_tx=" << d_n_tx
        << ", constellation='" << constellation() << "', llr='" << d_llr_method << "'" << settings()
        << ")";
    return out.str();
}

} // namespace thzum
} // namespace gr
