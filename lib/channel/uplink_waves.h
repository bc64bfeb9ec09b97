/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_UPLINK_WAVES_H
#define INCLUDED_THZUM_CHANNEL_UPLINK_WAVES_H

#include <gnuradio/thzum/uplink_channel.h>
#include <cstdint>
#include <vector>

namespace gr {
namespace thzum {

/*! Gains of all paths behind one entry of the combiner table. */
struct path_gains {
    const float* re; /*!< [S][width()] */
    const float* im;
};

/*!
 * \brief The plane waves of all realisations, and what combiners make of them.
 *
 * Paths are numbered user by user, K * L of them in a realisation. Gains are computed when an entry
 * is first asked for and kept as long as memory allows, see \p cache_limit.
 */
class uplink_waves
{
public:
    explicit uplink_waves(const uplink_parameters& parameters);

    /*! Paths of a realisation, padded for the kernels. */
    int width() const { return d_width; }

    /*! True where some subarray sees the path. */
    bool is_active(int realisation, int path) const
    {
        return d_active[size_t(realisation) * d_width + path];
    }

    path_gains combined(int realisation, int entry);

    /*! ||c|| of a combiner. */
    float row_norm(int entry, int subarray) const
    {
        return d_row_norms[size_t(entry) * d_shape.n_subarrays + subarray];
    }

    /*! Response h [N] of the paths first .. first + count - 1, path i weighted by weights[i]. */
    void
    response(int realisation, int first, int count, const gr_complex* weights, gr_complex* h) const;

private:
    size_t wave(int realisation, int subarray) const
    {
        return size_t(realisation) * d_shape.n_subarrays + subarray;
    }
    void lay_out(const uplink_parameters& parameters, int realisation, int path);
    void compute(int realisation, int entry, float* re, float* im) const;

    array_shape d_shape;
    int d_n_entries;
    int d_width;
    std::vector<float> d_y_re, d_y_im; // [B][S][rows][width], path gain included
    std::vector<float> d_x_re, d_x_im; // [B][S][cols][width]
    std::vector<char> d_active;        // [B][width]
    std::vector<gr_complex> d_combiners;
    std::vector<float> d_row_norms;          // [E][S]
    int d_n_slots;                           // realisations whose gains are kept
    std::vector<float> d_gain_re, d_gain_im; // [slots][E][S][width]
    std::vector<int> d_computed_for;         // [slots][E], the realisation; -1 none
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_UPLINK_WAVES_H */
