/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/estimator_base.h"
#include <algorithm>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

/*!
 * Minimum-norm least squares h = D V diag(1/sigma) z over the span of a dictionary.
 *
 * Of K coefficients with power N/K each, the r directions that the pilots see come with noise
 * noise_var / sigma_i^2 and the other K - r are lost, so that
 * NMSE = (noise_var sum 1/sigma_i^2) / N + (K - r) / K for channels isotropic in that span.
 */
class ls_estimator : public estimator_base
{
public:
    ls_estimator(const algorithm_info& info, const option_map& given, observation_model::sptr model)
        : estimator_base(info, given, std::move(model)),
          d_inverse(observations()),
          d_noise_gain(0.0),
          d_unobserved(coefficients())
    {
        const auto& sigma = this->model()->singular_values();
        const float largest = *std::max_element(sigma.begin(), sigma.end());
        for (size_t i = 0; i < sigma.size(); ++i) {
            // Past the numerical rank a direction is not observed.
            if (sigma[i] <= 1e-6f * largest)
                continue;
            d_inverse[i] = 1.0f / sigma[i];
            d_noise_gain += double(d_inverse[i]) * d_inverse[i];
            --d_unobserved;
        }
    }

protected:
    void
    run(gr_complex* z, float* noise_var, int batch, gr_complex* c, estimate_report* report) override
    {
        const int length = observations();
        const double prior = double(op()->shape().antennas()) / coefficients();
        for (int b = 0; b < batch; ++b) {
            for (int i = 0; i < length; ++i)
                z[size_t(b) * length + i] *= d_inverse[i];
            const double error = d_noise_gain * noise_var[b] + d_unobserved * prior;
            report[b].predicted_nmse_db = nmse_db(error / coefficients());
        }
        model()->from_singular(z, c, batch);
    }

private:
    std::vector<float> d_inverse;
    double d_noise_gain;
    int d_unobserved;
};

estimator::sptr
make_ls(const algorithm_info& info, const pilot_operator::sptr& op, const option_map& options)
{
    const option_reader reader(info, options);
    const auto& shape = op->shape();
    const auto dict = dictionary::make(reader.choice("dictionary", dictionary::names()),
                                       shape.rows,
                                       shape.cols,
                                       reader.number("spacing", 0.01, 2.0));
    return std::make_shared<ls_estimator>(info, options, observation_model::make(op, dict));
}

} // namespace

algorithm ls()
{
    return { { "ls",
               "Least squares: minimum-norm pseudo-inverse",
               with_common(
                   { { "dictionary",
                       std::string("identity"),
                       "Span to search, a name of dictionary_names(); \"visible_region\" leaves "
                       "out what no plane wave reaches." } }) },
             make_ls };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
