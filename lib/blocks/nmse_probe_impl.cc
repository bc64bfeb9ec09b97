/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "block_arguments.h"
#include "frame_tags.h"
#include "item_check.h"
#include "nmse_probe_impl.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

double to_db(double ratio) { return 10.0 * std::log10(std::max(ratio, 1e-30)); }

/*! ||estimate - truth||^2 / ||truth||^2; NaN or Inf where the inputs are, or the truth is zero. */
double error_ratio(const gr_complex* estimate, const gr_complex* truth, int size)
{
    double error = 0.0;
    for (int i = 0; i < size; i++) {
        const double re = static_cast<double>(estimate[i].real()) - truth[i].real();
        const double im = static_cast<double>(estimate[i].imag()) - truth[i].imag();
        error += re * re + im * im;
    }
    const double energy = item_energy(truth, size);
    return energy > 0.0 ? error / energy : std::numeric_limits<double>::quiet_NaN();
}

} // namespace

nmse_probe::sptr nmse_probe::make(int vlen)
{
    return gnuradio::make_block_sptr<nmse_probe_impl>(at_least_one("nmse_probe", "vlen", vlen));
}

nmse_probe_impl::nmse_probe_impl(int vlen)
    : gr::sync_block("nmse_probe",
                     gr::io_signature::make(2, 2, vlen * sizeof(gr_complex)),
                     gr::io_signature::make(0, 1, sizeof(float))),
      d_vlen(vlen)
{
    set_tag_propagation_policy(TPP_DONT);
    message_port_register_out(ports::report());
}

int nmse_probe_impl::work(int noutput_items,
                          gr_vector_const_void_star& input_items,
                          gr_vector_void_star& output_items)
{
    const auto* estimate = static_cast<const gr_complex*>(input_items[0]);
    const auto* truth = static_cast<const gr_complex*>(input_items[1]);
    auto* out = output_items.empty() ? nullptr : static_cast<float*>(output_items[0]);
    const bool has_listener = !pmt::is_null(message_subscribers(ports::report()));
    for (int i = 0; i < noutput_items; i++, estimate += d_vlen, truth += d_vlen) {
        const double ratio = is_skipped(i) ? std::numeric_limits<double>::quiet_NaN()
                                           : error_ratio(estimate, truth, d_vlen);
        const double mean = add(ratio);
        for (const auto& tag : d_tags)
            if (out)
                add_item_tag(0, tag);
        if (out)
            out[i] = std::isfinite(ratio) ? static_cast<float>(to_db(ratio))
                                          : std::numeric_limits<float>::quiet_NaN();
        if (has_listener && std::isfinite(ratio))
            report_item(i, ratio, mean);
    }
    return noutput_items;
}

bool nmse_probe_impl::is_skipped(int index)
{
    get_tags_in_window(d_tags, 0, index, index + 1);
    return std::any_of(
        d_tags.begin(), d_tags.end(), [](const auto& tag) { return tag.key == tags::skipped(); });
}

double nmse_probe_impl::add(double ratio)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    if (std::isfinite(ratio)) {
        d_ratio_sum += ratio;
        d_count++;
    } else {
        d_ignored++;
    }
    return d_ratio_sum / d_count;
}

void nmse_probe_impl::report_item(int index, double ratio, double mean)
{
    auto dict = pmt::make_dict();
    for (const auto& tag : d_tags) {
        if (tag.key == tags::frame())
            dict = pmt::dict_add(dict, keys::frame(), tag.value);
        else if (tag.key == tags::user())
            dict = pmt::dict_add(dict, keys::user(), tag.value);
    }
    dict = pmt::dict_add(dict, keys::nmse_db(), pmt::from_double(to_db(ratio)));
    dict = pmt::dict_add(dict, keys::mean_nmse_db(), pmt::from_double(to_db(mean)));
    dict = pmt::dict_add(dict, keys::count(), pmt::from_uint64(count()));
    message_port_pub(ports::report(), dict);
}

double nmse_probe_impl::nmse_db() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_count > 0 ? to_db(d_ratio_sum / d_count) : std::numeric_limits<double>::quiet_NaN();
}

uint64_t nmse_probe_impl::count() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_count;
}

uint64_t nmse_probe_impl::ignored() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_ignored;
}

void nmse_probe_impl::reset()
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_ratio_sum = 0.0;
    d_count = 0;
    d_ignored = 0;
}

} // namespace thzum
} // namespace gr
