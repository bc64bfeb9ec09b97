/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCK_ERROR_PROBE_IMPL_H
#define INCLUDED_THZUM_BLOCK_ERROR_PROBE_IMPL_H

#include "user_errors.h"
#include <gnuradio/thzum/block_error_probe.h>
#include <mutex>

namespace gr {
namespace thzum {

class block_error_probe_impl : public block_error_probe
{
public:
    block_error_probe_impl(int block_size, int n_users, int report_interval);

    bool start() override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

    double bler() const override;
    double ber() const override;
    std::vector<double> user_bler() const override;
    uint64_t block_errors() const override;
    uint64_t bit_errors() const override;
    uint64_t count() const override;
    void reset() override;

private:
    void end_block();
    void report();

    const int d_block_size;
    const int d_n_users;
    const int d_report_interval;
    int d_until_report;
    int d_position = 0;   /*!< bits of the block at hand so far */
    int d_wrong_bits = 0; /*!< and those that differ */
    int d_user = 0;       /*!< whose block it is */

    mutable std::mutex d_mutex; /*!< guards the counters */
    user_errors d_users;
    uint64_t d_bit_errors = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCK_ERROR_PROBE_IMPL_H */
