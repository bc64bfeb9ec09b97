/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/pilot_frame.h"
#include "common/multiversion.h"
#include <algorithm>
#include <cmath>
#include <complex>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

using complexd = std::complex<double>;

constexpr int max_samples = 1 << 26; // 512 MiB of complex samples per frame and buffer
constexpr double orthogonality_tolerance = 1e-3;
constexpr double relative_noise_floor = 1e-10; // 100 dB below the pilots
constexpr double absolute_noise_floor = 1e-30;

template <class T>
[[noreturn]] void
reject(const char* argument, const std::string& expected, const T& got, const char* remedy = "")
{
    std::ostringstream message;
    message << "pilot_frame: " << argument << ": expected " << expected << ", got " << got
            << remedy;
    throw std::invalid_argument(message.str());
}

void check_sizes(const pilot_frame_layout& layout)
{
    const auto at_least = [](const char* name, int value, int least) {
        if (value < least)
            reject(name, "an integer of at least " + std::to_string(least), value);
    };
    at_least("n_chains", layout.n_chains, 1);
    at_least("n_noise", layout.n_noise, 0);
    at_least("n_slots", layout.n_slots, 1);
    at_least("n_users", layout.n_users, 1);
    at_least("n_data", layout.n_data, 0);
}

std::vector<gr_complex> dft_sequences(int n_users)
{
    std::vector<gr_complex> sequences;
    for (int k = 0; k < n_users; k++)
        for (int p = 0; p < n_users; p++)
            sequences.push_back(
                gr_complex(std::polar(1.0, -2 * M_PI * ((k * int64_t(p)) % n_users) / n_users)));
    return sequences;
}

complexd inner(const complexd* a, const complexd* b, int size)
{
    complexd sum = 0.0;
    for (int i = 0; i < size; i++)
        sum += std::conj(a[i]) * b[i];
    return sum;
}

void check_sequences(const std::vector<complexd>& rows, int n_users, int n_chips)
{
    for (size_t i = 0; i < rows.size(); i++)
        if (!(std::abs(std::abs(rows[i]) - 1.0) < orthogonality_tolerance))
            reject("sequences",
                   "chips of magnitude 1",
                   std::abs(rows[i]),
                   (" for user " + std::to_string(i / n_chips) + ", chip " +
                    std::to_string(i % n_chips))
                       .c_str());
    for (int a = 0; a < n_users; a++)
        for (int b = a + 1; b < n_users; b++) {
            const double overlap =
                std::abs(inner(&rows[a * n_chips], &rows[b * n_chips], n_chips)) / n_chips;
            if (!(overlap < orthogonality_tolerance))
                reject(
                    "sequences",
                    "orthogonal rows, one per user",
                    overlap,
                    (" as correlation of users " + std::to_string(a) + " and " + std::to_string(b))
                        .c_str());
        }
}

// Not for use inside a multiversioned kernel: fast-math assumes that every value is finite.
bool is_finite(const gr_complex& value)
{
    return std::isfinite(value.real()) && std::isfinite(value.imag());
}

double energy(const std::vector<gr_complex>& samples)
{
    double sum = 0.0;
    for (const auto& sample : samples)
        sum += double(sample.real()) * sample.real() + double(sample.imag()) * sample.imag();
    return sum;
}

double energy(const std::vector<float>& re, const std::vector<float>& im)
{
    double sum = 0.0;
    for (size_t i = 0; i < re.size(); i++)
        sum += double(re[i]) * re[i] + double(im[i]) * im[i];
    return sum;
}

// sum += c * x over contiguous observations
THZUM_MULTIVERSION
void accumulate(float c_re,
                float c_im,
                const float* __restrict x_re,
                const float* __restrict x_im,
                float* __restrict sum_re,
                float* __restrict sum_im,
                int count)
{
    for (int i = 0; i < count; i++) {
        sum_re[i] += c_re * x_re[i] - c_im * x_im[i];
        sum_im[i] += c_re * x_im[i] + c_im * x_re[i];
    }
}

} // namespace

pilot_frame::pilot_frame(const pilot_frame_layout& layout, const std::vector<gr_complex>& sequences)
    : d_layout(layout)
{
    check_sizes(layout);
    const auto& rows = sequences.empty() ? dft_sequences(layout.n_users) : sequences;
    d_n_chips = int(rows.size() / layout.n_users);
    if (rows.size() % layout.n_users != 0 || d_n_chips < layout.n_users)
        reject("sequences",
               "[n_users][chips] values with at least n_users = " + std::to_string(layout.n_users) +
                   " chips per user",
               std::to_string(rows.size()) + " values");
    const double samples =
        double(layout.n_noise) + double(layout.n_slots) * d_n_chips + layout.n_data;
    if (samples * layout.n_chains > max_samples)
        reject("n_noise, n_slots, n_data",
               "a frame of at most " + std::to_string(max_samples) + " samples over all chains",
               samples * layout.n_chains);
    d_n_pilots_end = layout.n_noise + layout.n_slots * d_n_chips;
    if (noise_dimensions() == 0)
        reject("n_noise",
               "at least 1 silent sample when every chip sequence is in use",
               layout.n_noise,
               "; or give sequences of more chips than users");
    complete_basis(rows);

    d_noise.resize(size_t(layout.n_chains) * layout.n_noise);
    d_pilots_re.resize(size_t(d_n_chips) * n_observations());
    d_pilots_im.resize(d_pilots_re.size());
    d_data.resize(size_t(layout.n_data) * layout.n_chains);
    d_sum_re.resize(n_observations());
    d_sum_im.resize(n_observations());
    d_y.resize(size_t(layout.n_users) * n_observations());
}

int pilot_frame::noise_dimensions() const
{
    return d_layout.n_chains * d_layout.n_noise + n_observations() * (d_n_chips - d_layout.n_users);
}

// Gram-Schmidt on the unit vectors finds the sequences orthogonal to every user's. Each pass is run
// twice, which keeps the result orthogonal to rounding.
void pilot_frame::complete_basis(const std::vector<gr_complex>& sequences)
{
    const int users = d_layout.n_users, chips = d_n_chips;
    std::vector<complexd> rows(sequences.begin(), sequences.end());
    check_sequences(rows, users, chips);
    rows.resize(size_t(chips) * chips);
    int found = users;
    for (int unit = 0; unit < chips && found < chips; unit++) {
        complexd* row = &rows[size_t(found) * chips];
        std::fill(row, row + chips, 0.0);
        row[unit] = 1.0;
        for (int pass = 0; pass < 2; pass++)
            for (int other = 0; other < found; other++) {
                const complexd* known = &rows[size_t(other) * chips];
                const complexd weight =
                    inner(known, row, chips) / inner(known, known, chips).real();
                for (int p = 0; p < chips; p++)
                    row[p] -= weight * known[p];
            }
        const double norm = std::sqrt(inner(row, row, chips).real());
        if (norm < 1e-6)
            continue;
        for (int p = 0; p < chips; p++)
            row[p] /= norm;
        found++;
    }

    d_basis_re.resize(rows.size());
    d_basis_im.resize(rows.size());
    for (size_t i = 0; i < rows.size(); i++) {
        const double scale = i < size_t(users) * chips ? 1.0 / chips : 1.0;
        d_basis_re[i] = float(scale * rows[i].real());
        d_basis_im[i] = float(-scale * rows[i].imag());
    }
}

int pilot_frame::collect(const gr_complex* const* samples, int offset, int count)
{
    int taken = 0;
    while (taken < count && !is_complete()) {
        const int section_end = d_filled < d_layout.n_noise ? d_layout.n_noise
                                : d_filled < d_n_pilots_end ? d_n_pilots_end
                                                            : n_samples();
        const int piece = std::min(count - taken, section_end - d_filled);
        if (d_filled < d_layout.n_noise)
            collect_noise(samples, offset + taken, piece);
        else if (d_filled < d_n_pilots_end)
            collect_pilots(samples, offset + taken, piece);
        else
            collect_data(samples, offset + taken, piece);
        d_filled += piece;
        taken += piece;
    }
    return taken;
}

void pilot_frame::collect_noise(const gr_complex* const* samples, int offset, int count)
{
    for (int s = 0; s < d_layout.n_chains; s++)
        std::copy_n(samples[s] + offset, count, &d_noise[size_t(s) * d_layout.n_noise + d_filled]);
}

void pilot_frame::collect_pilots(const gr_complex* const* samples, int offset, int count)
{
    const int first = d_filled - d_layout.n_noise;
    for (int s = 0; s < d_layout.n_chains; s++) {
        int slot = first / d_n_chips, chip = first % d_n_chips;
        for (int i = 0; i < count; i++) {
            const gr_complex& sample = samples[s][offset + i];
            const size_t at = size_t(chip) * n_observations() + s * d_layout.n_slots + slot;
            d_pilots_re[at] = sample.real();
            d_pilots_im[at] = sample.imag();
            if (++chip == d_n_chips) {
                chip = 0;
                slot++;
            }
        }
    }
}

void pilot_frame::collect_data(const gr_complex* const* samples, int offset, int count)
{
    const size_t first = d_filled - d_n_pilots_end;
    for (int i = 0; i < count; i++)
        for (int s = 0; s < d_layout.n_chains; s++)
            d_data[(first + i) * d_layout.n_chains + s] = samples[s][offset + i];
}

bool pilot_frame::despread()
{
    const int observations = n_observations(), users = d_layout.n_users;
    const double silent = energy(d_noise);
    const double pilots = energy(d_pilots_re, d_pilots_im);
    if (!std::isfinite(silent) || !std::isfinite(pilots))
        return false; // a double cannot overflow on squares of finite floats

    double unused = 0.0;
    for (int row = 0; row < d_n_chips; row++) {
        std::fill(d_sum_re.begin(), d_sum_re.end(), 0.0f);
        std::fill(d_sum_im.begin(), d_sum_im.end(), 0.0f);
        for (int p = 0; p < d_n_chips; p++)
            accumulate(d_basis_re[size_t(row) * d_n_chips + p],
                       d_basis_im[size_t(row) * d_n_chips + p],
                       &d_pilots_re[size_t(p) * observations],
                       &d_pilots_im[size_t(p) * observations],
                       d_sum_re.data(),
                       d_sum_im.data(),
                       observations);
        if (row >= users) {
            unused += energy(d_sum_re, d_sum_im);
            continue;
        }
        gr_complex* y = &d_y[size_t(row) * observations];
        for (int i = 0; i < observations; i++)
            y[i] = gr_complex(d_sum_re[i], d_sum_im[i]);
    }
    if (!std::isfinite(energy(d_y)) || !std::isfinite(unused))
        return false;

    d_pilot_power = pilots / d_pilots_re.size();
    d_sample_noise_var = std::max({ (silent + unused) / noise_dimensions(),
                                    relative_noise_floor * d_pilot_power,
                                    absolute_noise_floor });
    return true;
}

const gr_complex* pilot_frame::observations(int user) const
{
    return &d_y[size_t(user) * n_observations()];
}

const gr_complex* pilot_frame::data(int index) const
{
    return &d_data[size_t(index) * d_layout.n_chains];
}

bool pilot_frame::data_is_finite(int index) const
{
    return std::all_of(data(index), data(index) + d_layout.n_chains, is_finite);
}

} // namespace thzum
} // namespace gr
