/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "frame_tags.h"
#include "ser_probe_impl.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

int at_least_one(const char* name, int value)
{
    if (value < 1)
        throw std::invalid_argument(std::string("ser_probe: ") + name +
                                    " expects an integer of at least 1, got " +
                                    std::to_string(value));
    return value;
}

double rate(uint64_t errors, uint64_t count)
{
    return count > 0 ? static_cast<double>(errors) / static_cast<double>(count)
                     : std::numeric_limits<double>::quiet_NaN();
}

uint64_t total(const std::vector<uint64_t>& counters)
{
    return std::accumulate(counters.begin(), counters.end(), uint64_t{ 0 });
}

} // namespace

ser_probe::sptr ser_probe::make(int n_users, int report_interval, int window)
{
    return gnuradio::make_block_sptr<ser_probe_impl>(
        at_least_one("n_users", n_users),
        at_least_one("report_interval", report_interval),
        at_least_one("window", window));
}

ser_probe_impl::ser_probe_impl(int n_users, int report_interval, int window)
    : gr::sync_block("ser_probe",
                     gr::io_signature::make(2, 2, n_users * sizeof(int32_t)),
                     gr::io_signature::make(0, 1, sizeof(float))),
      d_n_users(n_users),
      d_report_interval(report_interval),
      d_until_report(report_interval),
      d_window(window),
      d_errors(n_users),
      d_counts(n_users)
{
    message_port_register_out(ports::report());
}

int ser_probe_impl::work(int noutput_items,
                         gr_vector_const_void_star& input_items,
                         gr_vector_void_star& output_items)
{
    const auto* detected = static_cast<const int32_t*>(input_items[0]);
    const auto* truth = static_cast<const int32_t*>(input_items[1]);
    auto* recent = output_items.empty() ? nullptr : static_cast<float*>(output_items[0]);
    for (int i = 0; i < noutput_items; i++, detected += d_n_users, truth += d_n_users) {
        const float rate_of_late = look_back(count_item(detected, truth));
        if (recent)
            recent[i] = rate_of_late;
        if (--d_until_report == 0) {
            d_until_report = d_report_interval;
            report();
        }
    }
    return noutput_items;
}

ser_probe_impl::counts ser_probe_impl::count_item(const int32_t* detected, const int32_t* truth)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    counts item;
    for (int k = 0; k < d_n_users; k++) {
        const bool counted = detected[k] >= 0 && truth[k] >= 0;
        const bool wrong = counted && detected[k] != truth[k];
        d_counts[k] += counted;
        d_errors[k] += wrong;
        item.symbols += counted;
        item.errors += wrong;
    }
    return item;
}

/*! Symbol error rate over the window that ends with \p item. */
float ser_probe_impl::look_back(const counts& item)
{
    counts& oldest = d_window[d_oldest];
    d_in_window.errors += item.errors - oldest.errors;
    d_in_window.symbols += item.symbols - oldest.symbols;
    oldest = item;
    d_oldest = (d_oldest + 1) % d_window.size();
    return d_in_window.symbols > 0 ? static_cast<float>(d_in_window.errors) / d_in_window.symbols
                                   : 0.0f;
}

void ser_probe_impl::report()
{
    const auto per_user = user_ser();
    auto dict = pmt::dict_add(pmt::make_dict(), pmt::mp("ser"), pmt::from_double(ser()));
    dict = pmt::dict_add(
        dict, pmt::mp("user_ser"), pmt::init_f64vector(per_user.size(), per_user.data()));
    dict = pmt::dict_add(dict, pmt::mp("errors"), pmt::from_uint64(errors()));
    dict = pmt::dict_add(dict, keys::count(), pmt::from_uint64(count()));
    message_port_pub(ports::report(), dict);
}

double ser_probe_impl::ser() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return rate(total(d_errors), total(d_counts));
}

std::vector<double> ser_probe_impl::user_ser() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    std::vector<double> rates(d_n_users);
    std::transform(d_errors.begin(), d_errors.end(), d_counts.begin(), rates.begin(), rate);
    return rates;
}

uint64_t ser_probe_impl::errors() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return total(d_errors);
}

uint64_t ser_probe_impl::count() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return total(d_counts);
}

void ser_probe_impl::reset()
{
    std::lock_guard<std::mutex> lock(d_mutex);
    std::fill(d_errors.begin(), d_errors.end(), 0);
    std::fill(d_counts.begin(), d_counts.end(), 0);
}

} // namespace thzum
} // namespace gr
