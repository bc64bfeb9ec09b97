/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "detection/detectors.h"
#include "detection/real_detector.h"
#include "detection/sorted_qr.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

namespace gr {
namespace thzum {

namespace {

/*! left[p] = z - sum over j > i of R[i][j] x[j][p] for all paths p. */
THZUM_MULTIVERSION
void interference_kernel(const float* r_row,
                         const float* x,
                         int first,
                         int n,
                         int paths,
                         float z,
                         float* __restrict left)
{
    for (int p = 0; p < paths; p++)
        left[p] = z;
    for (int j = first; j < n; j++)
        for (int p = 0; p < paths; p++)
            left[p] -= r_row[j] * x[j * paths + p];
}

/*! Metrics of all children of one level: (left - R x)^2 - loading x^2, the term that the extension
 * of the channel adds being taken off again. */
THZUM_MULTIVERSION
void child_kernel(const float* metric,
                  const float* left,
                  float step,
                  float bias,
                  int paths,
                  float* __restrict child)
{
    for (int p = 0; p < paths; p++)
        child[p] = metric[p] + (left[p] - step) * (left[p] - step) - bias;
}

int default_paths(const std::string& constellation)
{
    if (constellation == "bpsk" || constellation == "qpsk")
        return 16;
    return constellation == "16qam" ? 32 : 64;
}

/*!
 * Breadth-first tree search that keeps the K best partial vectors of every amplitude, on the sorted
 * QR decomposition of the loaded channel: near maximum likelihood for K large enough. LLRs compare
 * the complete vectors that are left; a bit on which they all agree gets the spread of their
 * metrics, the least its other value would cost.
 */
class k_best_detector : public real_detector
{
public:
    k_best_detector(const detector_sizes& sizes, const option_reader& options)
        : real_detector("k_best", sizes, options),
          d_paths(options.integer("paths", 0, 4096)),
          d_map(find_constellation(sizes.constellation)),
          d_qr(model())
    {
        if (d_paths == 0)
            d_paths = default_paths(sizes.constellation);
        const int n = model().max_columns(), n_levels = static_cast<int>(levels().size());
        d_z.resize(static_cast<size_t>(batch) * model().max_column_stride());
        d_y.resize(static_cast<size_t>(batch) * model().row_stride());
        d_metric.resize(d_paths);
        d_left.resize(d_paths);
        d_child.resize(static_cast<size_t>(d_paths) * n_levels);
        d_order.resize(d_child.size());
        d_x.resize(static_cast<size_t>(n) * d_paths);
        d_level.resize(d_x.size());
        d_float_swap.resize(d_paths);
        d_level_swap.resize(d_paths);
        d_energy.resize(n);
        d_place.resize(n);
    }

protected:
    void prepare_model() override
    {
        d_loading = model().noise_var() / model().prior_variance();
        d_qr.factor(model(), d_loading);
        for (int i = 0; i < model().columns(); i++) {
            const float* h = model().transposed() + static_cast<size_t>(i) * model().row_stride();
            double energy = 0.0;
            for (int row = 0; row < model().rows(); row++)
                energy += static_cast<double>(h[row]) * h[row];
            d_energy[i] = std::max(energy, 1e-12);
            d_place[d_qr.column(i)] = i;
        }
    }

    void decide(const gr_complex* y,
                int count,
                int32_t* symbols,
                float* llr,
                gr_complex* x_hat,
                float* variance) override
    {
        std::fill_n(symbols, static_cast<size_t>(count) * n_tx(), -1);
        d_symbols = symbols;
        d_llr = llr;
        equalise(y, count, x_hat, variance);
    }

    void run(const float* y, int count, float* r, float* v) override
    {
        const int stride = model().column_stride();
        batch_product(d_qr.q(), model().rows(), stride, y, model().row_stride(), count, d_z.data());
        for (int b = 0; b < count; b++) {
            search(&d_z[b * stride]);
            write_symbols();
            if (d_llr != nullptr)
                write_llr();
            cancel(y + b * model().row_stride(), r + b * stride, v + b * stride);
            d_symbols += n_tx();
            d_llr = d_llr ? d_llr + n_tx() * bits_per_symbol() : nullptr;
        }
    }

    std::string settings() const override
    {
        std::ostringstream out;
        out << ", paths=" << d_paths;
        return out.str();
    }

private:
    /*! Leaves the best vectors in d_level, the best of all as path 0. */
    void search(const float* z)
    {
        const int n = model().columns(), n_levels = static_cast<int>(levels().size());
        d_used = 1;
        d_metric[0] = 0.0f;
        for (int i = n - 1; i >= 0; i--) {
            const float* row = d_qr.r() + static_cast<size_t>(i) * model().column_stride();
            interference_kernel(row, d_x.data(), i + 1, n, d_paths, z[i], d_left.data());
            for (int l = 0; l < n_levels; l++)
                child_kernel(d_metric.data(),
                             d_left.data(),
                             row[i] * levels()[l],
                             d_loading * levels()[l] * levels()[l],
                             d_used,
                             &d_child[l * d_used]);
            keep_best(i, d_used * n_levels);
        }
        const auto best = std::min_element(d_metric.begin(), d_metric.begin() + d_used);
        swap_paths(static_cast<int>(best - d_metric.begin()));
    }

    /*! Goes on with the best of all children; a child is level * used + parent. */
    void keep_best(int i, int children)
    {
        const int n = model().columns(), parents = d_used;
        const auto better = [this](int a, int b) {
            return d_child[a] < d_child[b] || (d_child[a] == d_child[b] && a < b);
        };
        for (int c = 0; c < children; c++)
            d_order[c] = c;
        d_used = std::min(children, d_paths);
        if (d_used < children)
            std::nth_element(
                d_order.begin(), d_order.begin() + d_used, d_order.begin() + children, better);
        for (int j = i + 1; j < n; j++) {
            float* x = &d_x[j * d_paths];
            uint8_t* level = &d_level[j * d_paths];
            std::copy_n(x, parents, d_float_swap.begin());
            std::copy_n(level, parents, d_level_swap.begin());
            for (int p = 0; p < d_used; p++) {
                x[p] = d_float_swap[d_order[p] % parents];
                level[p] = d_level_swap[d_order[p] % parents];
            }
        }
        for (int p = 0; p < d_used; p++) {
            const int level = d_order[p] / parents;
            d_level[i * d_paths + p] = static_cast<uint8_t>(level);
            d_x[i * d_paths + p] = levels()[level];
            d_metric[p] = d_child[d_order[p]];
        }
    }

    void swap_paths(int best)
    {
        std::swap(d_metric[0], d_metric[best]);
        for (int j = 0; j < model().columns(); j++) {
            std::swap(d_x[j * d_paths], d_x[j * d_paths + best]);
            std::swap(d_level[j * d_paths], d_level[j * d_paths + best]);
        }
    }

    int level_of(int user, int axis, int path) const
    {
        return d_level[d_place[axis * model().users() + user] * d_paths + path];
    }

    void write_symbols()
    {
        for (int a = 0; a < model().users(); a++) {
            int symbol = 0;
            for (int bit = d_map.bits_per_axis - 1; bit >= 0; bit--)
                for (int axis = 0; axis < d_map.axes; axis++)
                    symbol = 2 * symbol + ((level_of(a, axis, 0) >> bit) & 1);
            d_symbols[active()[a]] = symbol;
        }
    }

    void write_llr()
    {
        for (int a = 0; a < model().users(); a++)
            for (int bit = 0; bit < d_map.bits_per_axis; bit++)
                for (int axis = 0; axis < d_map.axes; axis++)
                    d_llr[active()[a] * bits_per_symbol() + bit * d_map.axes + axis] =
                        list_llr(a, axis, d_map.bits_per_axis - 1 - bit);
    }

    /*! Metrics are squared distances: log P = -metric / (2 noise_var). */
    float list_llr(int user, int axis, int shift) const
    {
        const float scale = 0.5f / model().noise_var();
        constexpr float none = std::numeric_limits<float>::infinity();
        float best[2] = { none, none };
        float worst = 0.0f, sum[2] = { 0.0f, 0.0f };
        for (int p = 0; p < d_used; p++) {
            const int bit = (level_of(user, axis, p) >> shift) & 1;
            best[bit] = std::min(best[bit], d_metric[p]);
            worst = std::max(worst, d_metric[p] - d_metric[0]);
            sum[bit] += std::exp(scale * (d_metric[0] - d_metric[p]));
        }
        constexpr float largest = 1e9f;
        if (best[1] == none || best[0] == none)
            return (best[1] == none ? 1.0f : -1.0f) * std::min(scale * worst, largest);
        if (is_exact() && sum[0] > 0.0f && sum[1] > 0.0f)
            return std::log(sum[0] / sum[1]);
        return std::clamp(scale * (best[1] - best[0]), -largest, largest);
    }

    /*! Matched filter of each amplitude after the others, as decided, are taken out of y. */
    void cancel(const float* y, float* r, float* v)
    {
        const int n = model().columns(), row_stride = model().row_stride();
        std::copy_n(y, row_stride, d_y.begin());
        for (int i = 0; i < n; i++) {
            const float* h = model().transposed() + static_cast<size_t>(i) * row_stride;
            const float x = d_x[d_place[i] * d_paths];
            for (int row = 0; row < model().rows(); row++)
                d_y[row] -= x * h[row];
        }
        for (int i = 0; i < n; i++) {
            const float* h = model().transposed() + static_cast<size_t>(i) * row_stride;
            float sum = 0.0f;
            for (int row = 0; row < model().rows(); row++)
                sum += h[row] * d_y[row];
            const float energy = static_cast<float>(d_energy[i]);
            r[i] = d_x[d_place[i] * d_paths] + sum / energy;
            v[i] = model().noise_var() / energy;
        }
    }

    int d_paths;
    const struct constellation& d_map;
    sorted_qr d_qr;
    float d_loading = 0.0f;
    int d_used = 0; // paths there are
    int32_t* d_symbols = nullptr;
    float* d_llr = nullptr;
    std::vector<float> d_z;       // Q^T y, [batch][column_stride]
    std::vector<float> d_y;       // one vector without what has been decided
    std::vector<float> d_metric;  // [paths]
    std::vector<float> d_left;    // [paths]
    std::vector<float> d_child;   // [levels][paths]
    std::vector<int> d_order;     // children, the best first
    std::vector<float> d_x;       // amplitudes, [columns][paths]
    std::vector<uint8_t> d_level; // their levels
    std::vector<float> d_float_swap;
    std::vector<uint8_t> d_level_swap;
    std::vector<double> d_energy; // of each column of H
    std::vector<int> d_place;     // of each column of H in R
};

} // namespace

detector_entry k_best_entry()
{
    return { { "k_best",
               "tree search that keeps the K best partial vectors: the near-ML reference, slow",
               { llr_option(),
                 { "paths",
                   0.0,
                   "vectors kept (K), integer from 1 to 4096; 0 = 16 up to QPSK, 32 for 16-QAM, "
                   "64 beyond" } } },
             [](const detector_sizes& sizes, const option_reader& options) {
                 return std::make_shared<k_best_detector>(sizes, options);
             } };
}

} // namespace thzum
} // namespace gr
