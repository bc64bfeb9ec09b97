/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "block_arguments.h"
#include "block_error_probe_impl.h"
#include "frame_tags.h"
#include <gnuradio/io_signature.h>

namespace gr {
namespace thzum {

block_error_probe::sptr block_error_probe::make(int block_size, int n_users, int report_interval)
{
    return gnuradio::make_block_sptr<block_error_probe_impl>(
        at_least_one("block_error_probe", "block_size", block_size),
        at_least_one("block_error_probe", "n_users", n_users),
        at_least_one("block_error_probe", "report_interval", report_interval));
}

block_error_probe_impl::block_error_probe_impl(int block_size, int n_users, int report_interval)
    : gr::sync_block("block_error_probe",
                     gr::io_signature::make(2, 2, sizeof(uint8_t)),
                     gr::io_signature::make(0, 0, 0)),
      d_block_size(block_size),
      d_n_users(n_users),
      d_report_interval(report_interval),
      d_until_report(report_interval),
      d_users(n_users)
{
    message_port_register_out(ports::report());
}

bool block_error_probe_impl::start()
{
    d_position = 0;
    d_wrong_bits = 0;
    d_user = 0;
    return sync_block::start();
}

int block_error_probe_impl::work(int noutput_items,
                                 gr_vector_const_void_star& input_items,
                                 gr_vector_void_star&)
{
    const auto* decoded = static_cast<const uint8_t*>(input_items[0]);
    const auto* sent = static_cast<const uint8_t*>(input_items[1]);
    for (int i = 0; i < noutput_items; i++) {
        d_wrong_bits += decoded[i] != sent[i];
        if (++d_position == d_block_size)
            end_block();
    }
    return noutput_items;
}

void block_error_probe_impl::end_block()
{
    {
        std::lock_guard<std::mutex> lock(d_mutex);
        d_users.add(d_user, d_wrong_bits > 0);
        d_bit_errors += d_wrong_bits;
    }
    d_user = (d_user + 1) % d_n_users;
    d_position = 0;
    d_wrong_bits = 0;
    if (--d_until_report == 0) {
        d_until_report = d_report_interval;
        report();
    }
}

void block_error_probe_impl::report()
{
    const auto per_user = user_bler();
    auto dict = pmt::dict_add(pmt::make_dict(), pmt::mp("bler"), pmt::from_double(bler()));
    dict = pmt::dict_add(dict, pmt::mp("ber"), pmt::from_double(ber()));
    dict = pmt::dict_add(
        dict, pmt::mp("user_bler"), pmt::init_f64vector(per_user.size(), per_user.data()));
    dict = pmt::dict_add(dict, pmt::mp("block_errors"), pmt::from_uint64(block_errors()));
    dict = pmt::dict_add(dict, pmt::mp("bit_errors"), pmt::from_uint64(bit_errors()));
    dict = pmt::dict_add(dict, keys::count(), pmt::from_uint64(count()));
    message_port_pub(ports::report(), dict);
}

double block_error_probe_impl::bler() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_users.rate();
}

double block_error_probe_impl::ber() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return error_rate(d_bit_errors, d_users.count() * d_block_size);
}

std::vector<double> block_error_probe_impl::user_bler() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_users.user_rates();
}

uint64_t block_error_probe_impl::block_errors() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_users.errors();
}

uint64_t block_error_probe_impl::bit_errors() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_bit_errors;
}

uint64_t block_error_probe_impl::count() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_users.count();
}

void block_error_probe_impl::reset()
{
    std::lock_guard<std::mutex> lock(d_mutex);
    d_users.reset();
    d_bit_errors = 0;
}

} // namespace thzum
} // namespace gr
