/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detection/calibration_kernels.h"
#include "detection/calibration_network.h"
#include "detection/detectors.h"
#include "detection/gram_amp.h"
#include "detection/real_detector.h"
#include <algorithm>
#include <cmath>
#include <sstream>

namespace gr {
namespace thzum {

namespace {

// What is left of y, in standard deviations above what noise leaves: one vector in thirty has more
// than the first and one in a thousand more than the second although its levels are right.
constexpr float doubtful_excess = 2.0f;
constexpr float stuck_excess = 3.5f;

/*!
 * Approximate message passing calibrated by a graph network, after He et al., "Message passing
 * meets graph neural networks: a new paradigm for massive MIMO systems", IEEE Trans. Wireless
 * Commun. 2024. There, a network for every pair of users runs in every iteration. Here, AMP takes
 * several cheap steps between two calls of a network for every amplitude, which hears of the others
 * by products of their states with the Gram matrix and with its elementwise square; what it answers
 * (a shift of the estimate, a factor on its variance, a damping) holds until the next call. Vectors
 * whose levels are certain leave before the last call. A vector that comes to rest on levels which
 * leave more of y than noise does begins anew. Nothing is solved, inverted or factored.
 */
class amp_gnn_detector : public real_detector
{
public:
    amp_gnn_detector(const detector_sizes& sizes, const option_reader& options)
        : real_detector("amp_gnn", sizes, options, piece),
          d_amp(model(), levels(), piece),
          d_network(options.text("model"),
                    sizes.constellation,
                    options.integer("threads", 1, 256),
                    piece,
                    d_amp.pitch()),
          d_calls(options.integer("calls", 1, 1000)),
          d_patience(options.integer("patience", 1, 1000)),
          d_max_restarts(options.integer("restarts", 0, 1000)),
          d_certain(static_cast<float>(options.number("certain", 0.0, 1.0))),
          d_log_energy(d_amp.pitch()),
          d_constants(static_cast<size_t>(calibration_layout::constants) * d_amp.pitch()),
          d_mean(d_amp.pitch()),
          d_variance(d_amp.pitch()),
          d_origin(piece),
          d_idle(piece),
          d_stage(piece),
          d_restarts(piece)
    {
    }

protected:
    void prepare_model() override
    {
        d_amp.set_channel();
        const int n = d_amp.pitch();
        const float load = static_cast<float>(model().columns()) / model().rows();
        const float offset = load - 0.5f;
        logarithms(d_amp.energy(), n, d_log_energy.data());
        float* row = d_constants.data();
        std::fill_n(row, n, 0.15f * std::log(d_amp.noise_var()));
        softsign(d_log_energy.data(), 2.0f, n, row + n);
        std::fill_n(row + 2 * n, n, offset / (1.0f + std::abs(offset)));
        std::fill_n(row + 3 * n, n, 0.15f * std::log(d_amp.prior_variance()));
    }

    void run(const float* y, int count, float* r, float* v) override
    {
        begin(y, count);
        for (int t = 0; t < d_network.plan().warm; t++)
            d_amp.step(count);
        for (int call = 0; count > 0; call++) {
            if (is_linear())
                d_amp.step(count);
            else
                calibrate(count);
            count = release(count, call + 1 == d_calls || is_linear(), r, v);
            for (int t = 0; t < d_network.plan().inner && count > 0; t++)
                d_amp.step(count);
        }
    }

    std::string settings() const override
    {
        std::ostringstream out;
        out << ", calls=" << d_calls << ", patience=" << d_patience
            << ", restarts=" << d_max_restarts << ", certain=" << d_certain << ", model='"
            << d_network.path() << "'";
        return out.str();
    }

private:
    /*! Whether there is so much noise that levels do not matter: AMP is right, the network has
     * never seen it. */
    bool is_linear() const { return d_amp.noise_var() > d_amp.prior_variance(); }

    void begin(const float* y, int count)
    {
        const auto& layout = d_network.layout();
        const int n = d_amp.pitch();
        d_amp.start(y, count);
        for (int b = 0; b < count; b++) {
            d_origin[b] = b;
            d_idle[b] = 0;
            d_stage[b] = 0;
            d_restarts[b] = 0;
            std::fill_n(d_network.features(b, 0), layout.features() * n, 0.0f);
            std::copy(
                d_constants.begin(), d_constants.end(), d_network.features(b, layout.constant()));
        }
    }

    /*! A step of AMP with a call of the network between estimates and levels. */
    void calibrate(int count)
    {
        d_amp.linear_step(count);
        for (int b = 0; b < count; b++)
            fill_features(b);
        d_network.run(count);
        for (int b = 0; b < count; b++) {
            take_updates(b);
            d_stage[b]++;
        }
    }

    void fill_features(int b)
    {
        const auto& layout = d_network.layout();
        const int n = d_amp.pitch();
        const auto row = [&](int i) { return d_network.features(b, i); };
        d_amp.couple(row(layout.odd_state()), layout.odd_states, row(layout.odd_sum()));
        d_amp.couple_squared(row(layout.even_state()), layout.even_states, row(layout.even_sum()));
        d_amp.posterior(b, d_mean.data(), d_variance.data());
        const float misfit = mean_misfit(
            d_amp.at(b, gram_amp::residual), d_amp.at(b, gram_amp::s), model().columns());
        own_features({ d_amp.at(b, gram_amp::r),
                       d_amp.at(b, gram_amp::s),
                       d_amp.at(b, gram_amp::x),
                       d_amp.at(b, gram_amp::v),
                       d_amp.at(b, gram_amp::residual),
                       d_mean.data(),
                       d_variance.data(),
                       std::log(d_amp.noise_var() + d_amp.spread(b)),
                       std::log(misfit + 1e-6f),
                       d_amp.prior_variance() },
                     d_log_energy.data(),
                     n,
                     row(0),
                     row(layout.even()));
        std::fill_n(row(layout.stage()), layout.stages * n, 0.0f);
        std::fill_n(row(layout.stage() + std::min(d_stage[b], layout.stages - 1)), n, 1.0f);
    }

    void take_updates(int b)
    {
        const auto& layout = d_network.layout();
        const int n = d_amp.pitch();
        read_calibration({ d_network.updates(b, 0),
                           d_network.updates(b, layout.new_scale()),
                           d_network.updates(b, layout.new_damping()) },
                         n,
                         d_amp.at(b, gram_amp::shift),
                         d_amp.at(b, gram_amp::scale),
                         d_amp.at(b, gram_amp::keep));
        move_states(d_network.updates(b, layout.new_odd_state()),
                    layout.odd_states * n,
                    d_network.features(b, layout.odd_state()));
        move_states(d_network.updates(b, layout.new_even_state()),
                    layout.even_states * n,
                    d_network.features(b, layout.even_state()));
        d_amp.weigh(b);
    }

    /*! Results of vector \p b, in the units of the model. */
    void store(int b, float* r, float* v)
    {
        const int stride = model().column_stride();
        const float unit = d_amp.unit();
        const size_t to = static_cast<size_t>(d_origin[b]) * stride;
        for (int k = 0; k < stride; k++) {
            r[to + k] = unit * d_amp.at(b, gram_amp::best_r)[k];
            v[to + k] = unit * unit * d_amp.at(b, gram_amp::best_s)[k];
        }
    }

    /*! Stores the vectors that need no more calls, begins anew with those that are stuck, and
     * closes the gaps. \return how many are left */
    int release(int count, bool is_last, float* r, float* v)
    {
        int left = 0;
        for (int b = 0; b < count; b++) {
            const float expected = d_amp.expected_errors(b);
            d_idle[b] = d_amp.remember(b) ? 0 : d_idle[b] + 1;
            const float excess = d_amp.excess(b);
            const bool is_stuck = excess >= stuck_excess;
            const float certain = excess < doubtful_excess ? d_certain : 0.1f * d_certain;
            const int patience = is_stuck ? 2 * d_patience : d_patience;
            const bool is_done = expected < certain || d_idle[b] >= patience;
            if (is_last || (is_done && !(is_stuck && d_restarts[b] < d_max_restarts))) {
                store(b, r, v);
                continue;
            }
            if (is_done)
                restart(b);
            if (left < b)
                move(b, left);
            left++;
        }
        return left;
    }

    /*! Begins anew with a vector that came to rest on wrong levels, by shorter steps each time. */
    void restart(int b)
    {
        const auto& layout = d_network.layout();
        const int n = d_amp.pitch();
        d_restarts[b]++;
        d_idle[b] = 0;
        d_stage[b] = 0;
        d_amp.restart(b, 1.0f / (1 + d_restarts[b]));
        std::fill_n(d_network.features(b, layout.odd_state()), layout.odd_states * n, 0.0f);
        std::fill_n(d_network.features(b, layout.even_state()), layout.even_states * n, 0.0f);
    }

    void move(int from, int to)
    {
        const auto& layout = d_network.layout();
        const int n = d_amp.pitch();
        d_amp.move(from, to);
        d_origin[to] = d_origin[from];
        d_idle[to] = d_idle[from];
        d_stage[to] = d_stage[from];
        d_restarts[to] = d_restarts[from];
        std::copy_n(d_network.features(from, layout.odd_state()),
                    layout.odd_states * n,
                    d_network.features(to, layout.odd_state()));
        std::copy_n(d_network.features(from, layout.even_state()),
                    layout.even_states * n,
                    d_network.features(to, layout.even_state()));
    }

    gram_amp d_amp;
    calibration_network d_network;
    int d_calls;
    int d_patience;
    int d_max_restarts;
    float d_certain;
    volk::vector<float> d_log_energy;
    volk::vector<float> d_constants; // [4][pitch] features that the channel fixes
    volk::vector<float> d_mean, d_variance;
    std::vector<int> d_origin; // place of each vector in the batch it came with
    std::vector<int> d_idle;   // calls since its best levels
    std::vector<int> d_stage;  // calls since it began
    std::vector<int> d_restarts;
};

} // namespace

detector_entry amp_gnn_entry()
{
    return { { "amp_gnn",
               "approximate message passing calibrated by a graph network: near-optimal without a "
               "matrix inverse",
               { llr_option(),
                 { "model",
                   std::string(),
                   "path of the .onnx file (task amp_calibration); empty for the shipped network "
                   "amp_gnn" },
                 { "calls", 96.0, "most calls of the network per vector, integer from 1 to 1000" },
                 { "patience",
                   6.0,
                   "a vector is done after this many calls without better levels, twice as many "
                   "while more than noise is left of it; integer from 1 to 1000" },
                 { "restarts",
                   4.0,
                   "how often a vector of which more than noise is left begins anew, with shorter "
                   "steps each time; integer from 0 to 1000" },
                 { "certain",
                   0.03,
                   "a vector is done when it expects fewer wrong amplitudes than this, a tenth of "
                   "it while more than noise is left; 0 (never) to 1" },
                 { "threads", 1.0, "intra-op threads of ONNX Runtime, 1 to 256" } } },
             [](const detector_sizes& sizes, const option_reader& options) {
                 return std::make_shared<amp_gnn_detector>(sizes, options);
             } };
}

} // namespace thzum
} // namespace gr
