/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_BAND_SEARCH_H
#define INCLUDED_THZUM_ESTIMATION_BAND_SEARCH_H

#include "estimation/band_fit.h"
#include "estimation/direction_grid.h"
#include <gnuradio/fft/fft.h>
#include <memory>

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief The direction in space, and its delays, that explain most of a residual over the band.
 *
 * For a direction, the residual of subarray s is correlated with the wave at every subcarrier, each
 * seen under its own squint. With delays, the energies over the band add up in phase at the best
 * delay of each subarray, found by an FFT; without, as powers.
 */
class band_search
{
public:
    band_search(const pilot_gram& gram,
                const visible_region::sptr& region,
                double spacing,
                const subcarrier_grid& grid,
                bool has_delays);

    struct peak {
        double ux, uy; /*!< direction cosines */
        double energy;
    };

    /*!
     * \param re,im residual [S][F][stride]
     * \param measured [F]
     * \param delay [S] of the peak, in inverse bands; zero without delays
     */
    peak strongest(const float* re,
                   const float* im,
                   const std::vector<char>& measured,
                   std::vector<double>& delay);

    /*! Level that a peak of noise alone exceeds with probability \p false_alarm, over noise_var. */
    double threshold(double false_alarm) const;

private:
    band_search(const pilot_gram& gram,
                const wave_atoms& atoms,
                double spacing,
                const subcarrier_grid& grid,
                bool has_delays);

    void tabulate_energies(const pilot_gram& gram, const wave_atoms& atoms);
    void correlate(int s, const float* re, const float* im, const std::vector<char>& measured);
    double best_delay(int length, double* delay);

    const int d_subarrays, d_stride;
    const double d_spacing;
    const subcarrier_grid d_grid;
    const bool d_has_delays;
    const direction_grid d_directions;
    const int d_row_size, d_col_size; // coefficients
    const double d_cells;
    volk::vector<float> d_row_waves;      // [F][row point][coefficient]
    volk::vector<float> d_col_waves;      // [F][coefficient][width]
    std::vector<int> d_points;            // of the grid inside the disc
    std::vector<float> d_inverse_energy;  // [S][point], of one subcarrier on average
    volk::vector<float> d_half, d_images; // d_images [F][re, im][row point][width]
    std::vector<double> d_total;          // [point]
    std::vector<double> d_delay;          // [point][S]
    std::unique_ptr<fft::fft_complex_rev> d_fft;
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_BAND_SEARCH_H */
