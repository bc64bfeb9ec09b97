/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detection/amp_linear.h"
#include "detection/axis_posterior.h"
#include "detection/detectors.h"
#include "detection/real_detector.h"
#include <algorithm>
#include <sstream>

namespace gr {
namespace thzum {

namespace {

class amp_detector : public real_detector
{
public:
    amp_detector(const detector_sizes& sizes, const option_reader& options)
        : real_detector("amp", sizes, options),
          d_iterations(options.integer("iterations", 1, 1000)),
          d_damping(static_cast<float>(options.number("damping", 0.0, 0.99))),
          d_linear(model(), batch),
          d_new_part(batch, 1.0f - d_damping),
          d_x(static_cast<size_t>(batch) * model().max_column_stride()),
          d_variance(d_x.size())
    {
    }

protected:
    void prepare_model() override { d_linear.set_channel(); }

    void run(const float* y, int count, float* r, float* v) override
    {
        const int n = count * model().column_stride();
        std::fill_n(d_x.begin(), n, 0.0f);
        std::fill_n(d_variance.begin(), n, model().prior_variance());
        d_linear.start(y, count);
        for (int t = 0; t < d_iterations; t++) {
            if (t > 0)
                axis_posterior(levels(), r, v, n, d_x.data(), d_variance.data());
            d_linear.step(d_x.data(), d_variance.data(), d_new_part.data(), r, v);
        }
    }

    std::string settings() const override
    {
        std::ostringstream out;
        out << ", iterations=" << d_iterations << ", damping=" << d_damping;
        return out.str();
    }

private:
    int d_iterations;
    float d_damping;
    amp_linear d_linear;
    std::vector<float> d_new_part;      // [batch]
    std::vector<float> d_x, d_variance; // [batch][column_stride] posterior of the amplitudes
};

} // namespace

detector_entry amp_entry()
{
    return {
        { "amp",
          "approximate message passing: no matrix inverse; has an error floor from 16-QAM on",
          { llr_option(),
            { "iterations", 10.0, "iterations, integer from 1 to 1000" },
            { "damping", 0.3, "weight of the old residual and its variance, 0 (none) to 0.99" } } },
        [](const detector_sizes& sizes, const option_reader& options) {
            return std::make_shared<amp_detector>(sizes, options);
        }
    };
}

} // namespace thzum
} // namespace gr
