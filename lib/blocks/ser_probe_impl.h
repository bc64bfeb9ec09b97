/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SER_PROBE_IMPL_H
#define INCLUDED_THZUM_SER_PROBE_IMPL_H

#include "user_errors.h"
#include <gnuradio/thzum/ser_probe.h>
#include <mutex>

namespace gr {
namespace thzum {

class ser_probe_impl : public ser_probe
{
public:
    ser_probe_impl(int n_users, int report_interval, int window);

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

    double ser() const override;
    std::vector<double> user_ser() const override;
    uint64_t errors() const override;
    uint64_t count() const override;
    void reset() override;

private:
    struct counts {
        int errors = 0;
        int symbols = 0;
    };

    counts count_item(const int32_t* detected, const int32_t* truth);
    float look_back(const counts& item);
    void report();

    const int d_n_users;
    const int d_report_interval;
    int d_until_report;
    std::vector<counts> d_window; /*!< ring of the last items */
    size_t d_oldest = 0;
    counts d_in_window;
    mutable std::mutex d_mutex; /*!< guards the counters */
    user_errors d_users;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SER_PROBE_IMPL_H */
