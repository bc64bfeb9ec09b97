/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_REDUCED_PATH_H
#define INCLUDED_THZUM_ESTIMATION_REDUCED_PATH_H

#include <complex>
#include <vector>

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief What the pilots say of one path, once the gains of all others follow it.
 *
 * The path's wave and its slopes along u and v in subarray s, columns E_s, have the normal
 * equations B_s - sum_k w_ks^H w_ks and the right-hand side m_s; rows w_k, one per coherent path
 * among the others, tie the subarrays together.
 */
struct reduced_path {
    reduced_path(int subarrays, int max_paths)
        : u(subarrays),
          v(subarrays),
          normal(size_t(9) * subarrays),
          match(size_t(3) * subarrays),
          coupling(size_t(max_paths) * (max_paths + 3 * subarrays + 1))
    {
    }

    int coupled = 0;                            /*!< rows w */
    double explained = 0.0;                     /*!< energy of the pilots, by the others alone */
    std::vector<double> u, v;                   /*!< [S] where the columns stand */
    std::vector<std::complex<double>> normal;   /*!< B [S][3][3] */
    std::vector<std::complex<double>> match;    /*!< m [S][3] */
    std::vector<std::complex<double>> coupling; /*!< w [coupled][S][3], with room for work */
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_REDUCED_PATH_H */
