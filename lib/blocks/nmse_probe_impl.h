/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_NMSE_PROBE_IMPL_H
#define INCLUDED_THZUM_NMSE_PROBE_IMPL_H

#include <gnuradio/thzum/nmse_probe.h>
#include <mutex>

namespace gr {
namespace thzum {

class nmse_probe_impl : public nmse_probe
{
public:
    explicit nmse_probe_impl(int vlen);

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

    double nmse_db() const override;
    uint64_t count() const override;
    uint64_t ignored() const override;
    void reset() override;

private:
    bool is_skipped(int index);
    double add(double ratio);
    void report_item(int index, double ratio, double mean);

    const int d_vlen;
    mutable std::mutex d_mutex; /*!< guards the three totals */
    double d_ratio_sum = 0.0;
    uint64_t d_count = 0;
    uint64_t d_ignored = 0;
    std::vector<tag_t> d_tags;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_NMSE_PROBE_IMPL_H */
