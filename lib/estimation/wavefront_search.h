/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_WAVEFRONT_SEARCH_H
#define INCLUDED_THZUM_ESTIMATION_WAVEFRONT_SEARCH_H

#include "estimation/path_fit.h"

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief Coherent wavefronts that agree with a path's free gains.
 *
 * Subarrays many wavelengths apart measure the direction finely but with ambiguities, a subarray
 * alone coarsely but without. The score of a direction and a curvature is the energy that one
 * common gain explains of the free gains, less what the path loses by leaving its coarse direction.
 * Local maxima of the score are the candidates that a fit has to decide between.
 */
class wavefront_search
{
public:
    /*! \param max_curvature in 1/wavelength */
    wavefront_search(const array_layout& layout, int rows, int cols, double max_curvature);

    /*!
     * \brief Candidates for a path, best first.
     * \param path with free gains
     * \param reduced what path_fit::reduce() gives for it
     * \param found room for \p most paths
     * \returns their number
     */
    int
    candidates(const fitted_path& path, const reduced_path& reduced, fitted_path* found, int most);

private:
    struct phasors {
        std::vector<double> offset; // [point] direction cosine less the path's
        volk::vector<float> re, im; // [S][point]
    };

    void subtract_penalty(const fitted_path& path, const reduced_path& reduced);
    void add_up(const fitted_path& path, const reduced_path& reduced, int curvature);
    void find_peaks();

    const array_layout d_layout;
    const int d_subarrays;
    std::vector<double> d_curvatures;
    phasors d_x, d_y;
    int d_width;                              // points along y, padded
    std::vector<std::complex<double>> d_gain; // [S], energies of waves times gains
    std::vector<float> d_gain_re, d_gain_im;  // [S], on a line
    std::vector<float> d_offset_y;            // that of d_y
    volk::vector<float> d_best;               // [x points][width] score
    volk::vector<float> d_best_curvature;     // its place among the curvatures
    volk::vector<float> d_around; // [x points][width] best of a point and its neighbours in y
    std::vector<int> d_peaks;
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_WAVEFRONT_SEARCH_H */
