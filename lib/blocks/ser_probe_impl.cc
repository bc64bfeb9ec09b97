/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "block_arguments.h"
#include "frame_tags.h"
#include "ser_probe_impl.h"
#include <gnuradio/io_signature.h>

namespace gr {
namespace thzum {

ser_probe::sptr ser_probe::make(int n_users, int report_interval, int window)
{
    return gnuradio::make_block_sptr<ser_probe_impl>(
        at_least_one("ser_probe", "n_users", n_users),
        at_least_one("ser_probe", "report_interval", report_interval),
        at_least_one("ser_probe", "window", window));
}

ser_probe_impl::ser_probe_impl(int n_users, int report_interval, int window)
    : gr::sync_block("ser_probe",
                     gr::io_signature::make(2, 2, n_users * sizeof(int32_t)),
                     gr::io_signature::make(0, 1, sizeof(float))),
      d_n_users(n_users),
      d_report_interval(report_interval),
      d_until_report(report_interval),
      d_window(window),
      d_users(n_users)
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
        if (detected[k] < 0 || truth[k] < 0)
            continue;
        const bool is_wrong = detected[k] != truth[k];
        d_users.add(k, is_wrong);
        item.symbols++;
        item.errors += is_wrong;
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
    return d_users.rate();
}

std::vector<double> ser_probe_impl::user_ser() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_users.user_rates();
}

uint64_t ser_probe_impl::errors() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_users.errors();
}

uint64_t ser_probe_impl::count() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_users.count();
}

void ser_probe_impl::reset()
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_users.reset();
}

} // namespace thzum
} // namespace gr
