/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "detection/axis_posterior.h"
#include "detection/detectors.h"
#include "detection/real_detector.h"
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <sstream>

namespace gr {
namespace thzum {

namespace {

/*! Error left by the present estimates in the coordinates where H is diagonal, and its energy. */
THZUM_MULTIVERSION
float residual_kernel(const float* z, const float* turned, const float* gains, int n, float* out)
{
    float energy = 0.0f;
    for (int i = 0; i < n; i++) {
        out[i] = z[i] - gains[i] * turned[i];
        energy += out[i] * out[i];
    }
    return energy;
}

/*! Sum of w = l / (l + loading) over the eigenvalues l = gain^2. */
THZUM_MULTIVERSION
float sum_filter(const float* gains, float loading, int n)
{
    float sum = 0.0f;
    for (int i = 0; i < n; i++)
        sum += gains[i] * gains[i] / (gains[i] * gains[i] + loading);
    return sum;
}

/*! Error energy behind the filter scale * w / l: bias (1 - scale w)^2 input_error plus noise. */
THZUM_MULTIVERSION
float sum_error(
    const float* gains, float loading, float scale, float input_error, float noise_var, int n)
{
    float sum = 0.0f;
    for (int i = 0; i < n; i++) {
        const float l = gains[i] * gains[i];
        const float filter = scale / (l + loading);
        const float bias = 1.0f - filter * l;
        sum += bias * bias * input_error + filter * filter * l * noise_var;
    }
    return sum;
}

THZUM_MULTIVERSION
void filter_kernel(float* residual, const float* gains, float loading, float scale, int n)
{
    for (int i = 0; i < n; i++)
        residual[i] *= scale * gains[i] / (gains[i] * gains[i] + loading);
}

/*! Posterior mean with the part removed that is r itself (divergence-free), for a mean posterior
 * variance: an extrinsic estimate. */
THZUM_MULTIVERSION
void extrinsic_kernel(
    const float* mean, const float* r, float error, float posterior, int n, float* x)
{
    const float scale = 1.0f / (error - posterior);
    for (int i = 0; i < n; i++)
        x[i] = (mean[i] * error - r[i] * posterior) * scale;
}

float mean_of(const float* values, int n)
{
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += values[i];
    return static_cast<float>(sum / n);
}

/*!
 * Orthogonal AMP (Ma and Ping, "Orthogonal AMP", IEEE Access 2017) with the de-correlated LMMSE
 * filter and a divergence-free posterior mean. H = U diag(g) V^T is factored once per channel: the
 * LMMSE filter of any error variance is then diagonal, and an iteration is two matrix-vector
 * products.
 */
class oamp_detector : public real_detector
{
public:
    oamp_detector(const detector_sizes& sizes, const option_reader& options)
        : real_detector("oamp", sizes, options),
          d_iterations(options.integer("iterations", 1, 1000)),
          d_left(static_cast<size_t>(model().rows()) * model().max_column_stride()),
          d_right(static_cast<size_t>(model().max_columns()) * model().max_column_stride()),
          d_right_transposed(d_right.size()),
          d_gram(d_right.size()),
          d_gains(model().max_column_stride()),
          d_z(static_cast<size_t>(batch) * model().max_column_stride()),
          d_x(d_z.size()),
          d_turned(d_z.size()),
          d_mean(d_z.size()),
          d_variance(d_z.size()),
          d_outside(batch),
          d_error(batch),
          d_eigen(model().max_columns())
    {
    }

protected:
    void prepare_model() override
    {
        const int n = model().columns(), stride = model().column_stride();
        model().gram(d_gram);
        d_eigen.compute(Eigen::Map<const Eigen::MatrixXf, 0, Eigen::OuterStride<>>(
                            d_gram.data(), n, n, Eigen::OuterStride<>(stride))
                            .cast<double>());
        const auto& V = d_eigen.eigenvectors();
        const double limit = 1e-6 * d_eigen.eigenvalues().maxCoeff();
        std::fill_n(d_right.begin(), static_cast<size_t>(n) * stride, 0.0f);
        std::fill_n(d_right_transposed.begin(), static_cast<size_t>(n) * stride, 0.0f);
        std::fill(d_gains.begin(), d_gains.end(), 0.0f);
        for (int i = 0; i < n; i++) {
            const double value = d_eigen.eigenvalues()[i];
            d_gains[i] = value > limit ? static_cast<float>(std::sqrt(value)) : 0.0f;
            for (int j = 0; j < n; j++) {
                d_right[j * stride + i] = static_cast<float>(V(j, i));
                d_right_transposed[i * stride + j] = static_cast<float>(V(j, i));
            }
        }
        set_left();
    }

    void run(const float* y, int count, float* r, float* v) override
    {
        const int stride = model().column_stride();
        begin(y, count);
        for (int t = 0; t < d_iterations; t++) {
            batch_product(d_right.data(),
                          model().columns(),
                          stride,
                          d_x.data(),
                          stride,
                          count,
                          d_turned.data());
            for (int b = 0; b < count; b++)
                linear_step(b, t == 0, v + b * stride);
            batch_product(d_right_transposed.data(),
                          model().columns(),
                          stride,
                          d_turned.data(),
                          stride,
                          count,
                          r);
            for (int i = 0; i < count * stride; i++)
                r[i] += d_x[i];
            if (t + 1 < d_iterations)
                nonlinear_step(r, v, count);
        }
    }

    std::string settings() const override
    {
        std::ostringstream out;
        out << ", iterations=" << d_iterations;
        return out.str();
    }

private:
    /*! U = H V diag(1/g); directions that H does not pass stay zero. */
    void set_left()
    {
        const int n = model().columns(), stride = model().column_stride();
        batch_product(
            d_right.data(), n, stride, model().matrix(), stride, model().rows(), d_left.data());
        for (int row = 0; row < model().rows(); row++)
            for (int i = 0; i < n; i++)
                d_left[row * stride + i] *= d_gains[i] > 0.0f ? 1.0f / d_gains[i] : 0.0f;
        d_energy = 0.0f;
        for (int i = 0; i < n; i++)
            d_energy += d_gains[i] * d_gains[i];
    }

    /*! z = U^T y, and the energy of y outside the range of H. */
    void begin(const float* y, int count)
    {
        const int stride = model().column_stride(), row_stride = model().row_stride();
        batch_product(d_left.data(), model().rows(), stride, y, row_stride, count, d_z.data());
        for (int b = 0; b < count; b++) {
            double energy = 0.0;
            for (int i = 0; i < model().rows(); i++)
                energy += static_cast<double>(y[b * row_stride + i]) * y[b * row_stride + i];
            for (int i = 0; i < stride; i++)
                energy -= static_cast<double>(d_z[b * stride + i]) * d_z[b * stride + i];
            d_outside[b] = static_cast<float>(std::max(energy, 0.0));
        }
        std::fill_n(d_x.begin(), count * stride, 0.0f);
    }

    /*! Leaves the correction of the estimates in d_turned and the error variance in v. */
    void linear_step(int b, bool is_first, float* v)
    {
        const int n = model().columns(), stride = model().column_stride();
        const float noise_var = model().noise_var();
        float* turned = &d_turned[b * stride];
        const float inside =
            residual_kernel(&d_z[b * stride], turned, d_gains.data(), stride, turned);
        const float excess = d_outside[b] + inside - model().rows() * noise_var;
        const float input_error =
            is_first ? model().prior_variance() : std::max(excess / d_energy, min_error);
        const float loading = noise_var / input_error;
        const float scale = n / sum_filter(d_gains.data(), loading, n);
        const float error =
            sum_error(d_gains.data(), loading, scale, input_error, noise_var, n) / n;
        d_error[b] = std::max(error, min_error);
        filter_kernel(turned, d_gains.data(), loading, scale, stride);
        std::fill_n(v, stride, d_error[b]);
    }

    void nonlinear_step(const float* r, const float* v, int count)
    {
        const int stride = model().column_stride();
        axis_posterior(levels(), r, v, count * stride, d_mean.data(), d_variance.data());
        for (int b = 0; b < count; b++) {
            const float posterior =
                std::min(mean_of(&d_variance[b * stride], model().columns()), 0.999f * d_error[b]);
            extrinsic_kernel(&d_mean[b * stride],
                             r + b * stride,
                             d_error[b],
                             posterior,
                             stride,
                             &d_x[b * stride]);
        }
    }

    static constexpr float min_error = 1e-9f;

    int d_iterations;
    std::vector<float> d_left;                      // U, [rows][column_stride]
    std::vector<float> d_right, d_right_transposed; // V and V^T, [columns][column_stride]
    std::vector<float> d_gram;
    std::vector<float> d_gains; // singular values
    float d_energy = 0.0f;      // sum of their squares
    std::vector<float> d_z;     // [batch][column_stride]
    std::vector<float> d_x, d_turned, d_mean, d_variance;
    std::vector<float> d_outside, d_error; // [batch]
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> d_eigen;
};

} // namespace

detector_entry oamp_entry()
{
    return { { "oamp",
               "orthogonal AMP with the LMMSE filter; one eigendecomposition per channel",
               { llr_option(), { "iterations", 10.0, "iterations, integer from 1 to 1000" } } },
             [](const detector_sizes& sizes, const option_reader& options) {
                 return std::make_shared<oamp_detector>(sizes, options);
             } };
}

} // namespace thzum
} // namespace gr
