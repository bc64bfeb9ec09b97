/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/kernel_math.h"
#include "common/multiversion.h"
#include "detection/axis_posterior.h"
#include "detection/detectors.h"
#include "detection/gaussian_posterior.h"
#include "detection/moment_matching.h"
#include "detection/real_detector.h"
#include <algorithm>
#include <sstream>

namespace gr {
namespace thzum {

namespace {

/*! Means of the approximate priors. */
THZUM_MULTIVERSION
void prior_mean_kernel(const float* precision, const float* shift, int n, float* mean)
{
    for (int i = 0; i < n; i++)
        mean[i] = shift[i] / precision[i];
}

THZUM_MULTIVERSION
void residual_kernel(const float* matched, int n, float* product)
{
    for (int i = 0; i < n; i++)
        product[i] = matched[i] - product[i];
}

/*! Cavity of each amplitude: its Gaussian posterior with its own approximate prior taken out. */
THZUM_MULTIVERSION
void cavity_kernel(const float* mean,
                   const float* precision,
                   const float* deviation,
                   const float* information,
                   int n,
                   float* r,
                   float* v)
{
    for (int i = 0; i < n; i++) {
        const float part = smaller(larger(information[i], 1e-12f), 1.0f - 1e-7f);
        v[i] = (1.0f - part) / (part * precision[i]);
        r[i] = mean[i] + deviation[i] / part;
    }
}

/*!
 * Expectation propagation (Cespedes, Olmos, Sanchez-Fernandez, Perez-Cruz, "Expectation propagation
 * detection for high-order high-dimensional MIMO systems", IEEE Trans. Commun. 2014): the discrete
 * prior of each amplitude is replaced by a Gaussian whose moments are matched in turn with a
 * Gaussian posterior of all. Symbols are decided on the last cavity.
 */
class ep_detector : public real_detector
{
public:
    ep_detector(const detector_sizes& sizes, const option_reader& options)
        : real_detector("ep", sizes, options),
          d_iterations(options.integer("iterations", 1, 1000)),
          d_smoothing(static_cast<float>(options.number("smoothing", 0.0, 0.99))),
          d_posterior(model().max_columns()),
          d_gram(static_cast<size_t>(model().max_columns()) * model().max_column_stride()),
          d_matched(static_cast<size_t>(batch) * model().max_column_stride()),
          d_precision(d_matched.size()),
          d_shift(d_matched.size()),
          d_mean(d_matched.size()),
          d_variance(d_matched.size()),
          d_residual(d_matched.size()),
          d_deviation(d_matched.size())
    {
    }

protected:
    void prepare_model() override
    {
        model().gram(d_gram);
        const float weight = 1.0f / model().noise_var();
        const size_t n = static_cast<size_t>(model().columns()) * model().column_stride();
        for (size_t i = 0; i < n; i++)
            d_gram[i] *= weight;
    }

    void run(const float* y, int count, float* r, float* v) override
    {
        const int stride = model().column_stride();
        const int n = count * stride;
        const float weight = 1.0f / model().noise_var();
        batch_product(model().matrix(),
                      model().rows(),
                      stride,
                      y,
                      model().row_stride(),
                      count,
                      d_matched.data());
        for (int i = 0; i < n; i++)
            d_matched[i] *= weight;
        std::fill_n(d_precision.begin(), n, 1.0f / model().prior_variance());
        std::fill_n(d_shift.begin(), n, 0.0f);
        for (int t = 0; t < d_iterations; t++) {
            if (t > 0) {
                axis_posterior(levels(), r, v, n, d_mean.data(), d_variance.data());
                match_moments(r,
                              v,
                              d_mean.data(),
                              d_variance.data(),
                              1.0f - d_smoothing,
                              n,
                              d_precision.data(),
                              d_shift.data());
            }
            find_cavities(count, r, v);
        }
    }

    std::string settings() const override
    {
        std::ostringstream out;
        out << ", iterations=" << d_iterations << ", smoothing=" << d_smoothing;
        return out.str();
    }

private:
    void find_cavities(int count, float* r, float* v)
    {
        const int columns = model().columns(), stride = model().column_stride();
        const int n = count * stride;
        prior_mean_kernel(d_precision.data(), d_shift.data(), n, d_mean.data());
        batch_product(
            d_gram.data(), columns, stride, d_mean.data(), stride, count, d_residual.data());
        residual_kernel(d_matched.data(), n, d_residual.data());
        for (int b = 0; b < count; b++) {
            const int at = b * stride;
            d_posterior.solve(d_gram.data(),
                              columns,
                              &d_residual[at],
                              &d_precision[at],
                              &d_deviation[at],
                              &d_variance[at]);
        }
        cavity_kernel(
            d_mean.data(), d_precision.data(), d_deviation.data(), d_variance.data(), n, r, v);
    }

    int d_iterations;
    float d_smoothing;
    gaussian_posterior d_posterior;
    std::vector<float> d_gram;               // H^T H / noise_var
    std::vector<float> d_matched;            // H^T y / noise_var, [batch][column_stride]
    std::vector<float> d_precision, d_shift; // approximate priors: 1/variance, mean/variance
    std::vector<float> d_mean, d_variance, d_residual, d_deviation;
};

} // namespace

detector_entry ep_entry()
{
    return { { "ep",
               "expectation propagation (Cespedes et al. 2014): near-optimal; one matrix inverse "
               "per iteration",
               { llr_option(),
                 { "iterations", 10.0, "iterations, integer from 1 to 1000" },
                 { "smoothing", 0.9, "weight of the old approximate prior, 0 (none) to 0.99" } } },
             [](const detector_sizes& sizes, const option_reader& options) {
                 return std::make_shared<ep_detector>(sizes, options);
             } };
}

} // namespace thzum
} // namespace gr
