/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/amp_step.h"
#include "estimation/estimator_base.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

/*! Complex approximate message passing: amp_step and a denoiser D in turn, x+ = D(r, tau2). */
class amp_estimator : public estimator_base
{
public:
    amp_estimator(const algorithm_info& info,
                  const option_map& given,
                  const pilot_operator::sptr& op,
                  denoiser::sptr denoise)
        : estimator_base(info, given, observation_model::make(op, denoise->dict())),
          d_denoiser(std::move(denoise)),
          d_step(model(), max_batch()),
          d_e(size_t(max_batch()) * observations()),
          d_r(size_t(max_batch()) * coefficients()),
          d_next(d_r.size()),
          d_tau2(max_batch()),
          d_error_variance(max_batch()),
          d_divergence(max_batch())
    {
        const option_reader reader(info, given);
        d_max_iterations = reader.integer("max_iterations", 1, estimate_report::history_length);
        d_tolerance = reader.number("tolerance", 0.0, 1.0);
        d_damping = static_cast<float>(reader.number("damping", 0.0, 0.95));
    }

protected:
    void run(gr_complex* z, float*, int batch, gr_complex* c, estimate_report* report) override
    {
        std::fill_n(c, size_t(batch) * coefficients(), gr_complex(0.0f));
        std::fill_n(d_e.begin(), size_t(batch) * observations(), gr_complex(0.0f));
        std::fill_n(d_divergence.begin(), batch, 0.0f);
        for (int t = 0; t < d_max_iterations; ++t) {
            d_step.run(z,
                       c,
                       d_divergence.data(),
                       t > 0 ? d_damping : 0.0f,
                       batch,
                       d_e.data(),
                       d_r.data(),
                       d_tau2.data());
            d_denoiser->denoise(d_r.data(),
                                d_tau2.data(),
                                batch,
                                d_next.data(),
                                d_error_variance.data(),
                                d_divergence.data());
            bool moving = false;
            for (int b = 0; b < batch; ++b)
                moving |= update(b, t, c + size_t(b) * coefficients(), report[b]);
            if (!moving)
                break;
        }
    }

private:
    // x+ of item b; false when it stands still, after which it keeps its estimate.
    bool update(int b, int t, gr_complex* x, estimate_report& report)
    {
        if (t > 0 && report.residual <= d_tolerance)
            return false;
        const gr_complex* next = &d_next[size_t(b) * coefficients()];
        const float damping = t > 0 ? d_damping : 0.0f;
        double change = 0.0, size = 0.0;
        for (int i = 0; i < coefficients(); ++i) {
            const gr_complex mixed = (1.0f - damping) * next[i] + damping * x[i];
            change += std::norm(mixed - x[i]);
            size += std::norm(mixed);
            x[i] = mixed;
        }
        const float before = report.residual;
        report.residual = static_cast<float>(
            change == 0.0 ? 0.0 : std::sqrt(change / std::max(size, 1e-12 * change)));
        report.residual_history[t] = report.residual;
        report.iterations = t + 1;
        if (t > 0)
            report.contraction = report.residual / before;
        report.predicted_nmse_db = nmse_db(d_error_variance[b]);
        return report.residual > d_tolerance;
    }

    denoiser::sptr d_denoiser;
    amp_step d_step;
    int d_max_iterations;
    double d_tolerance;
    float d_damping;
    std::vector<gr_complex> d_e, d_r, d_next;
    std::vector<float> d_tau2, d_error_variance, d_divergence;
};

estimator::sptr
make_amp(const algorithm_info& info, const pilot_operator::sptr& op, const option_map& options)
{
    return std::make_shared<amp_estimator>(
        info, options, op, make_inner_denoiser(info, op, options));
}

} // namespace

algorithm amp()
{
    return { { "amp",
               "Approximate message passing with any denoiser and its Onsager term",
               with_denoiser(
                   { { "max_iterations", 30.0, "Iterations at most, 1 to 64." },
                     { "tolerance",
                       1e-3,
                       "An item stops when its relative change falls to this, 0 to 1." },
                     { "damping",
                       0.0,
                       "Share of the iteration before that is kept, 0 to 0.95; raise it when the "
                       "combiner makes AMP diverge." } },
                   "bernoulli_gaussian") },
             make_amp };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
