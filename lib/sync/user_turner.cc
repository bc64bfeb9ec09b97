/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sync/user_turner.h"
#include <cmath>

namespace gr {
namespace thzum {

user_turner::user_turner(const air_frame& frame)
    : d_n_users(frame.parameters().n_users),
      d_n_chips(frame.n_chips()),
      d_sequences(frame.parameters().sequences),
      d_turning(d_sequences),
      d_inverse(d_sequences),
      d_amplitude(d_n_users),
      d_gram(d_n_users, d_n_users),
      d_column(d_n_users),
      d_solver(d_n_users)
{
}

void user_turner::set_frequency(const std::vector<double>& frequency)
{
    for (int k = 0; k < d_n_users; k++)
        for (int p = 0; p < d_n_chips; p++) {
            const double cycles = frequency[k] * (p - 0.5 * (d_n_chips - 1));
            const size_t at = size_t(k) * d_n_chips + p;
            d_turning[at] = d_sequences[at] * gr_complex(std::polar(1.0, 2 * M_PI * cycles));
        }
    for (int k = 0; k < d_n_users; k++)
        for (int other = 0; other <= k; other++) {
            gr_complexd sum(0);
            for (int p = 0; p < d_n_chips; p++)
                sum += std::conj(gr_complexd(d_turning[size_t(k) * d_n_chips + p])) *
                       gr_complexd(d_turning[size_t(other) * d_n_chips + p]);
            d_gram(k, other) = sum;
            d_gram(other, k) = std::conj(sum);
        }
    d_solver.compute(d_gram);
    for (int p = 0; p < d_n_chips; p++) {
        for (int k = 0; k < d_n_users; k++)
            d_column(k) = std::conj(gr_complexd(d_turning[size_t(k) * d_n_chips + p]));
        d_solver.solveInPlace(d_column);
        for (int k = 0; k < d_n_users; k++)
            d_inverse[size_t(k) * d_n_chips + p] = gr_complex(d_column(k));
    }
}

void user_turner::run(const gr_complex* factors, gr_complex* chips)
{
    for (int k = 0; k < d_n_users; k++) {
        d_amplitude[k] = 0;
        for (int p = 0; p < d_n_chips; p++)
            d_amplitude[k] += d_inverse[size_t(k) * d_n_chips + p] * chips[p];
    }
    for (int k = 0; k < d_n_users; k++)
        for (int p = 0; p < d_n_chips; p++) {
            const size_t at = size_t(k) * d_n_chips + p;
            chips[p] += d_amplitude[k] * (factors[k] * d_sequences[at] - d_turning[at]);
        }
}

} // namespace thzum
} // namespace gr
