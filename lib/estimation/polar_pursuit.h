/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_POLAR_PURSUIT_H
#define INCLUDED_THZUM_ESTIMATION_POLAR_PURSUIT_H

#include "estimation/estimator_base.h"
#include "estimation/polar_grid.h"

namespace gr {
namespace thzum {
namespace estimation {

/*! A run of the pursuit over some of the rings. */
struct pursuit_stage {
    int first_ring;
    int last_ring; /*!< -1 is the nearest */
    int max_atoms; /*!< of this stage and those before */
};

struct polar_pursuit_settings {
    std::vector<pursuit_stage> stages;
    polar_sampling sampling;
    double false_alarm;
    int steps; /*!< Gauss-Newton steps after each new atom; 0 stays on the grid */
    int final_steps;
};

/*!
 * \brief Orthogonal matching pursuit with coherent waves of the polar domain.
 *
 * The wave that explains most of the residual joins, all gains are fitted again, until none stands
 * out of the noise: one of A atoms does so by chance with a probability below A exp(-peak /
 * noise_var). Subarrays many beam widths apart make lobes of almost equal height, of which a grid
 * often takes a wrong one; newtonized_omp tells them apart.
 */
class polar_pursuit : public estimator_base
{
public:
    polar_pursuit(const algorithm_info& info,
                  const option_map& given,
                  const pilot_operator::sptr& op,
                  const visible_region::sptr& region,
                  const array_layout& layout,
                  const polar_pursuit_settings& settings);

    int paths(int item, path_estimate* paths, int most) const override;

protected:
    void run(gr_complex* z,
             float* noise_var,
             int batch,
             gr_complex* c,
             estimate_report* report) override;

private:
    void pursue(const pursuit_stage& stage, double noise_var);
    void keep_paths(int b);

    const polar_pursuit_settings d_settings;
    const int d_max_atoms;
    path_fit d_fit;
    polar_grid d_grid;
    volk::vector<float> d_re, d_im;     // residual [S][stride]
    std::vector<path_estimate> d_paths; // [batch][max_atoms], at unit channel power
    std::vector<int> d_path_count;      // [batch]
};

/*! Options that the estimators of this class share, without the atoms' number. */
std::vector<option_info> polar_options();

/*! Builds the estimator from its options, of which \p stages depend on the estimator. */
estimator::sptr make_polar_pursuit(const algorithm_info& info,
                                   const pilot_operator::sptr& op,
                                   const option_map& options,
                                   std::vector<pursuit_stage> stages);

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_POLAR_PURSUIT_H */
