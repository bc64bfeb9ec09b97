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
#include "detection/moment_matching.h"
#include "detection/real_detector.h"
#include "detection/row_column_variance.h"
#include <algorithm>
#include <sstream>

namespace gr {
namespace thzum {

namespace {

/*! One vector's equations (G + diag load) x = right for the deviation x of the posterior mean from
 * the prior means, and the state of their conjugate gradients. */
struct equations {
    const float* load;     // noise_var * precision
    const float* diagonal; // of G
    float* x;
    float* residual;
    float* direction;
};

/*! residual = matched - G mean - load x, where mean is x and the prior mean together; the direction
 * is the residual over the diagonal. \param product G mean \return their inner product */
THZUM_MULTIVERSION
float begin_kernel(const equations& e, const float* matched, const float* product, int n)
{
    float sum = 0.0f;
    for (int i = 0; i < n; i++) {
        const float rest = matched[i] - product[i] - e.load[i] * e.x[i];
        const float step = rest / (e.diagonal[i] + e.load[i]);
        e.residual[i] = rest;
        e.direction[i] = step;
        sum += rest * step;
    }
    return sum;
}

/*! One step along the direction. \param product G direction \param slope residual^T preconditioned
 * residual \return the same after the step */
THZUM_MULTIVERSION
float step_kernel(const equations& e, float* __restrict product, float slope, int n)
{
    float curvature = 0.0f;
    for (int i = 0; i < n; i++) {
        product[i] += e.load[i] * e.direction[i];
        curvature += product[i] * e.direction[i];
    }
    const float length = slope / larger(curvature, 1e-30f);
    float next = 0.0f;
    for (int i = 0; i < n; i++) {
        e.x[i] += length * e.direction[i];
        const float rest = e.residual[i] - length * product[i];
        e.residual[i] = rest;
        next += rest * rest / (e.diagonal[i] + e.load[i]);
    }
    const float keep = next / larger(slope, 1e-30f);
    for (int i = 0; i < n; i++)
        e.direction[i] = e.residual[i] / (e.diagonal[i] + e.load[i]) + keep * e.direction[i];
    return next;
}

/*! Loading, prior means, and deviations of the present posterior means from them. */
THZUM_MULTIVERSION
void load_kernel(const float* posterior_mean,
                 const float* precision,
                 const float* shift,
                 float noise_var,
                 int n,
                 float* __restrict load,
                 float* __restrict prior_mean,
                 float* __restrict deviation)
{
    for (int i = 0; i < n; i++) {
        load[i] = noise_var * precision[i];
        prior_mean[i] = shift[i] / precision[i];
        deviation[i] = posterior_mean[i] - prior_mean[i];
    }
}

/*! Posterior means, and cavity means: without the own prior. v is the cavity variance. */
THZUM_MULTIVERSION
void cavity_kernel(const float* prior_mean,
                   const float* deviation,
                   const float* precision,
                   const float* v,
                   int n,
                   float* __restrict posterior_mean,
                   float* __restrict r)
{
    for (int i = 0; i < n; i++) {
        posterior_mean[i] = prior_mean[i] + deviation[i];
        r[i] = posterior_mean[i] + deviation[i] * v[i] * precision[i];
    }
}

/*!
 * Expectation propagation without a matrix inverse. The mean of the Gaussian posterior comes from a
 * few steps of preconditioned conjugate gradients, which go on from the mean of the iteration
 * before; its variances, from one pass per iteration of the variance recursion of AMP, whose fixed
 * point they approach in large systems (see row_column_variance). The first mean gets more steps:
 * symbols that it puts wrong with confidence are not found again.
 */
class cg_ep_detector : public real_detector
{
public:
    cg_ep_detector(const detector_sizes& sizes, const option_reader& options)
        : real_detector("cg_ep", sizes, options),
          d_iterations(options.integer("iterations", 1, 1000)),
          d_first_steps(options.integer("first_steps", 1, 1000)),
          d_steps(options.integer("steps", 1, 1000)),
          d_smoothing(static_cast<float>(options.number("smoothing", 0.0, 0.99))),
          d_variances(model(), batch),
          d_gram(static_cast<size_t>(model().max_columns()) * model().max_column_stride()),
          d_diagonal(model().max_column_stride()),
          d_first_variance(model().max_column_stride()),
          d_matched(static_cast<size_t>(batch) * model().max_column_stride()),
          d_precision(d_matched.size()),
          d_shift(d_matched.size()),
          d_x(d_matched.size()),
          d_mean(d_matched.size()),
          d_variance(d_matched.size()),
          d_load(d_matched.size()),
          d_prior_mean(d_matched.size()),
          d_deviation(d_matched.size()),
          d_product(d_matched.size()),
          d_residual(d_matched.size()),
          d_direction(d_matched.size()),
          d_slope(batch)
    {
    }

protected:
    void prepare_model() override
    {
        const int n = model().columns(), stride = model().column_stride();
        model().gram(d_gram);
        std::fill(d_diagonal.begin(), d_diagonal.end(), 1.0f);
        for (int i = 0; i < n; i++)
            d_diagonal[i] = d_gram[i * stride + i];
        d_variances.set_channel();
        std::fill_n(d_precision.begin(), stride, 1.0f / model().prior_variance());
        std::fill_n(d_variance.begin(), stride, model().prior_variance());
        for (int pass = 0; pass < first_passes; pass++)
            d_variances.pass(d_precision.data(), 1, d_variance.data(), d_first_variance.data());
    }

    void run(const float* y, int count, float* r, float* v) override
    {
        const int stride = model().column_stride();
        const int n = count * stride;
        begin(y, count, v);
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
                d_variances.posterior(d_precision.data(), v, n, d_variance.data());
                d_variances.pass(d_precision.data(), count, d_variance.data(), v);
            }
            conjugate_gradients(count, t == 0 ? d_first_steps : d_steps);
            cavity_kernel(
                d_prior_mean.data(), d_deviation.data(), d_precision.data(), v, n, d_x.data(), r);
        }
    }

    std::string settings() const override
    {
        std::ostringstream out;
        out << ", iterations=" << d_iterations << ", first_steps=" << d_first_steps
            << ", steps=" << d_steps << ", smoothing=" << d_smoothing;
        return out.str();
    }

private:
    static constexpr int first_passes = 20;

    void begin(const float* y, int count, float* v)
    {
        const int stride = model().column_stride();
        const int n = count * stride;
        batch_product(model().matrix(),
                      model().rows(),
                      stride,
                      y,
                      model().row_stride(),
                      count,
                      d_matched.data());
        std::fill_n(d_precision.begin(), n, 1.0f / model().prior_variance());
        std::fill_n(d_shift.begin(), n, 0.0f);
        std::fill_n(d_x.begin(), n, 0.0f);
        for (int b = 0; b < count; b++)
            std::copy_n(d_first_variance.begin(), stride, v + b * stride);
    }

    equations equations_of(int b)
    {
        const int at = b * model().column_stride();
        return {
            &d_load[at], d_diagonal.data(), &d_deviation[at], &d_residual[at], &d_direction[at]
        };
    }

    void multiply_gram(const std::vector<float>& x, int count)
    {
        const int stride = model().column_stride();
        batch_product(
            d_gram.data(), model().columns(), stride, x.data(), stride, count, d_product.data());
    }

    void conjugate_gradients(int count, int steps)
    {
        const int stride = model().column_stride();
        load_kernel(d_x.data(),
                    d_precision.data(),
                    d_shift.data(),
                    model().noise_var(),
                    count * stride,
                    d_load.data(),
                    d_prior_mean.data(),
                    d_deviation.data());
        multiply_gram(d_x, count);
        for (int b = 0; b < count; b++)
            d_slope[b] = begin_kernel(
                equations_of(b), &d_matched[b * stride], &d_product[b * stride], stride);
        for (int step = 0; step < steps; step++) {
            multiply_gram(d_direction, count);
            for (int b = 0; b < count; b++)
                d_slope[b] =
                    step_kernel(equations_of(b), &d_product[b * stride], d_slope[b], stride);
        }
    }

    int d_iterations;
    int d_first_steps;
    int d_steps;
    float d_smoothing;
    row_column_variance d_variances;
    std::vector<float> d_gram;               // H^T H
    std::vector<float> d_diagonal;           // of it, 1 in the padding
    std::vector<float> d_first_variance;     // cavity variances before anything is known
    std::vector<float> d_matched;            // H^T y, [batch][column_stride]
    std::vector<float> d_precision, d_shift; // approximate priors: 1/variance, mean/variance
    std::vector<float> d_x;                  // Gaussian posterior mean
    std::vector<float> d_mean, d_variance;
    std::vector<float> d_load, d_prior_mean, d_deviation, d_product, d_residual, d_direction;
    std::vector<float> d_slope; // [batch]
};

} // namespace

detector_entry cg_ep_entry()
{
    return { { "cg_ep",
               "expectation propagation without a matrix inverse: warm-started conjugate gradients "
               "and the variances of AMP",
               { llr_option(),
                 { "iterations", 10.0, "iterations, integer from 1 to 1000" },
                 { "first_steps",
                   16.0,
                   "conjugate-gradient steps of the first iteration, integer from 1 to 1000" },
                 { "steps",
                   4.0,
                   "conjugate-gradient steps of every further one, integer from 1 to 1000" },
                 { "smoothing", 0.9, "weight of the old approximate prior, 0 (none) to 0.99" } } },
             [](const detector_sizes& sizes, const option_reader& options) {
                 return std::make_shared<cg_ep_detector>(sizes, options);
             } };
}

} // namespace thzum
} // namespace gr
