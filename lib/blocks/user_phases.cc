/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "frame_tags.h"
#include "user_phases.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {

namespace {

/*! Energy over noise from which a reference's phase is taken: 0.14 rad of error. */
constexpr double least_snr = 25.0;

constexpr double largest_phase = 1e9;

bool is_usable(double phase) { return std::abs(phase) < largest_phase; }

bool is_usable(const gr_complex& value) { return std::norm(gr_complexd(value)) < 1e60; }

} // namespace

user_phases::user_phases(int n_rx, int n_tx)
    : d_n_rx(n_rx), d_n_tx(n_tx), d_phase(n_tx), d_reference(size_t(n_rx) * n_tx)
{
}

bool user_phases::is_one(const pmt::pmt_t& key)
{
    return key == tags::user_phase() || key == tags::user_reference();
}

std::string user_phases::read(const tag_t& tag)
{
    size_t size = 0;
    if (tag.key == tags::user_phase()) {
        const double* values =
            pmt::is_f64vector(tag.value) ? pmt::f64vector_elements(tag.value, size) : nullptr;
        if (size != d_phase.size() ||
            !std::all_of(values, values + size, [](double x) { return is_usable(x); }))
            return "thzum_user_phase: expected an f64vector of n_tx = " + std::to_string(d_n_tx) +
                   " finite phases, got " + pmt::write_string(tag.value);
        std::copy_n(values, size, d_phase.begin());
        d_has_phase = true;
        return {};
    }
    const gr_complex* values =
        pmt::is_c32vector(tag.value) ? pmt::c32vector_elements(tag.value, size) : nullptr;
    if (size != d_reference.size() ||
        !std::all_of(values, values + size, [](const gr_complex& x) { return is_usable(x); }))
        return "thzum_user_reference: expected a c32vector of n_rx * n_tx = " +
               std::to_string(d_reference.size()) + " finite values, got " +
               (size != d_reference.size() ? std::to_string(size) : "one that is not finite");
    std::copy_n(values, size, d_reference.begin());
    d_has_reference = true;
    return {};
}

void user_phases::clear() { d_has_phase = d_has_reference = false; }

void user_phases::turn(const gr_complex* channel,
                       const std::vector<float>& row_scale,
                       double noise_var,
                       gr_complex* turned) const
{
    for (int k = 0; k < d_n_tx; k++) {
        gr_complexd factor =
            d_has_reference ? aligned(channel, row_scale, noise_var, k) : gr_complexd(1);
        if (d_has_phase)
            factor *= std::polar(1.0, d_phase[k]);
        for (size_t at = k; at < d_reference.size(); at += d_n_tx)
            turned[at] = gr_complex(factor) * channel[at];
    }
}

// Turn of a user's reference against his channel; 1 where that is not known well enough.
gr_complexd user_phases::aligned(const gr_complex* channel,
                                 const std::vector<float>& row_scale,
                                 double noise_var,
                                 int user) const
{
    gr_complexd product(0);
    double energy = 0.0;
    for (int r = 0; r < d_n_rx; r++) {
        const size_t at = size_t(r) * d_n_tx + user;
        const double scale = row_scale.empty() ? 1.0 : row_scale[r];
        product += std::conj(gr_complexd(channel[at])) * gr_complexd(d_reference[at]) * scale;
        energy += std::norm(channel[at]);
    }
    const bool is_sure = std::norm(product) > least_snr * noise_var * energy;
    return is_sure ? product / std::abs(product) : gr_complexd(1);
}

} // namespace thzum
} // namespace gr
