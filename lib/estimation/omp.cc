/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/complex_matrix.h"
#include "estimation/estimator_base.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

/*! Oversampled 2-D DFT: unit-norm plane waves a_g over one subarray. */
class plane_wave_grid
{
public:
    plane_wave_grid(int rows, int cols, int oversampling)
        : d_rows(rows),
          d_cols(cols),
          d_row_waves(waves(rows, oversampling * rows)),
          d_col_waves(waves(cols, oversampling * cols)),
          d_half(size_t(d_row_waves.rows()) * cols),
          d_line(std::max(rows, d_row_waves.rows())),
          d_column(d_line.size())
    {
    }

    int size() const { return d_row_waves.rows() * d_col_waves.rows(); }

    /*! a_g, [row][col]. */
    void wave(int g, gr_complex* a) const
    {
        const double turn = 2.0 * M_PI;
        const double u = turn * (g / d_col_waves.rows()) / d_row_waves.rows();
        const double v = turn * (g % d_col_waves.rows()) / d_col_waves.rows();
        const double norm = 1.0 / std::sqrt(double(d_rows) * d_cols);
        for (int i = 0; i < d_rows; ++i)
            for (int j = 0; j < d_cols; ++j)
                a[i * d_cols + j] = gr_complex(std::polar(norm, u * i + v * j));
    }

    /*! a_g^H b for every g. */
    void correlate(const gr_complex* b, gr_complex* correlation)
    {
        const int grid_rows = d_row_waves.rows(), grid_cols = d_col_waves.rows();
        for (int j = 0; j < d_cols; ++j) {
            for (int i = 0; i < d_rows; ++i)
                d_line[i] = b[i * d_cols + j];
            d_row_waves.multiply(d_line.data(), d_column.data());
            for (int p = 0; p < grid_rows; ++p)
                d_half[size_t(p) * d_cols + j] = d_column[p];
        }
        for (int p = 0; p < grid_rows; ++p)
            d_col_waves.multiply(&d_half[size_t(p) * d_cols], correlation + p * grid_cols);
    }

private:
    static complex_matrix waves(int size, int bins)
    {
        complex_matrix matrix(bins, size);
        for (int p = 0; p < bins; ++p)
            for (int i = 0; i < size; ++i)
                matrix.set(p,
                           i,
                           gr_complex(std::polar(1.0 / std::sqrt(double(size)),
                                                 -2.0 * M_PI * p * i / bins)));
        return matrix;
    }

    int d_rows, d_cols;
    complex_matrix d_row_waves, d_col_waves;
    std::vector<gr_complex> d_half, d_line, d_column;
};

/*!
 * Orthogonal matching pursuit (Tropp and Gilbert, IEEE Trans. Inf. Theory 2007) with plane waves.
 *
 * The atom that explains most of the residual joins the support, and the residual is made
 * orthogonal to the support by Gram-Schmidt. "Joint" adds the metric over subarrays and shares the
 * support, the gains staying free: directions hardly differ between subarrays, phases do. With d
 * subarrays adding up, noise alone gives a peak of noise_var times a Gamma(d) variable; the search
 * stops when no peak exceeds noise_var (d + threshold).
 */
class omp_estimator : public estimator_base
{
public:
    omp_estimator(const algorithm_info& info,
                  const option_map& given,
                  observation_model::sptr model,
                  int oversampling,
                  const option_reader& reader)
        : estimator_base(info, given, std::move(model)),
          d_grid(op()->shape().rows, op()->shape().cols, oversampling),
          d_subarrays(op()->shape().n_subarrays),
          d_n(op()->shape().elements()),
          d_rank(this->model()->rank()),
          d_group(reader.flag("joint") ? d_subarrays : 1),
          d_max_atoms(
              std::min(reader.integer("max_atoms", 1, estimate_report::history_length), d_rank)),
          d_threshold(reader.number("threshold", 0.0, 1e6)),
          d_energy(size_t(d_subarrays) * d_grid.size()),
          d_correlation(d_grid.size()),
          d_metric(d_grid.size()),
          d_waves(coefficients()),
          d_observed(observations()),
          d_weighted(observations()),
          d_basis(size_t(d_max_atoms) * observations()),
          d_triangle(size_t(d_subarrays) * d_max_atoms * d_max_atoms),
          d_projection(size_t(d_subarrays) * d_max_atoms),
          d_support(size_t(d_subarrays) * d_max_atoms),
          d_atoms(d_subarrays)
    {
        for (int g = 0; g < d_grid.size(); ++g) {
            for (int s = 0; s < d_subarrays; ++s)
                d_grid.wave(g, &d_waves[size_t(s) * d_n]);
            observe_waves();
            for (int s = 0; s < d_subarrays; ++s)
                d_energy[size_t(s) * d_grid.size() + g] =
                    squared_norm(&d_observed[size_t(s) * d_rank]);
        }
    }

protected:
    void
    run(gr_complex* z, float* noise_var, int batch, gr_complex* c, estimate_report* report) override
    {
        for (int b = 0; b < batch; ++b) {
            pursue(z + size_t(b) * observations(), noise_var[b]);
            synthesize(c + size_t(b) * coefficients());
            report[b].iterations = *std::max_element(d_atoms.begin(), d_atoms.end());
        }
    }

private:
    double squared_norm(const gr_complex* x) const
    {
        double sum = 0.0;
        for (int i = 0; i < d_rank; ++i)
            sum += std::norm(x[i]);
        return sum;
    }

    gr_complex inner(const gr_complex* a, const gr_complex* b) const
    {
        gr_complex sum = 0.0f;
        for (int i = 0; i < d_rank; ++i)
            sum += std::conj(a[i]) * b[i];
        return sum;
    }

    // diag(sigma) V^H of the waves, one per subarray.
    void observe_waves()
    {
        model()->to_singular(d_waves.data(), d_observed.data(), 1);
        const auto& sigma = model()->singular_values();
        for (int i = 0; i < observations(); ++i)
            d_observed[i] *= sigma[i];
    }

    // Adds atoms until no group finds another; turns z into the residual.
    void pursue(gr_complex* z, float noise_var)
    {
        std::fill(d_atoms.begin(), d_atoms.end(), 0);
        for (int t = 0; t < d_max_atoms; ++t) {
            backproject(z);
            bool found = false;
            for (int first = 0; first < d_subarrays; first += d_group)
                if (d_atoms[first] == t && select(first, t, noise_var))
                    found = true;
            if (!found)
                return;
            observe_waves();
            for (int s = 0; s < d_subarrays; ++s)
                if (d_atoms[s] == t + 1)
                    orthogonalize(s, t, z + size_t(s) * d_rank);
        }
    }

    // V diag(sigma) z, from which a wave's correlation with z follows; into d_waves.
    void backproject(const gr_complex* z)
    {
        const auto& sigma = model()->singular_values();
        for (int i = 0; i < observations(); ++i)
            d_weighted[i] = sigma[i] * z[i];
        model()->from_singular(d_weighted.data(), d_waves.data(), 1);
    }

    // Chooses atom t of the group that starts with subarray first; false when no peak stands out.
    bool select(int first, int t, float noise_var)
    {
        std::fill(d_metric.begin(), d_metric.end(), 0.0f);
        for (int s = first; s < first + d_group; ++s) {
            d_grid.correlate(&d_waves[size_t(s) * d_n], d_correlation.data());
            const float* energy = &d_energy[size_t(s) * d_grid.size()];
            for (int g = 0; g < d_grid.size(); ++g)
                if (energy[g] > 1e-6f)
                    d_metric[g] += std::norm(d_correlation[g]) / energy[g];
        }
        const auto peak = std::max_element(d_metric.begin(), d_metric.end());
        if (*peak < noise_var * (d_group + d_threshold))
            return false;
        for (int s = first; s < first + d_group; ++s) {
            d_support[size_t(s) * d_max_atoms + t] = static_cast<int>(peak - d_metric.begin());
            d_grid.wave(d_support[size_t(s) * d_max_atoms + t], &d_waves[size_t(s) * d_n]);
            d_atoms[s] = t + 1;
        }
        return true;
    }

    // Gram-Schmidt of subarray s's atom t against those before, twice for accuracy; takes it out of
    // z.
    void orthogonalize(int s, int t, gr_complex* z)
    {
        gr_complex* q = basis(s, t);
        std::copy_n(&d_observed[size_t(s) * d_rank], d_rank, q);
        const double before = squared_norm(q);
        for (int i = 0; i < t; ++i)
            triangle(s, i, t) = 0.0f;
        for (int pass = 0; pass < 2; ++pass)
            for (int i = 0; i < t; ++i) {
                const gr_complex share = inner(basis(s, i), q);
                triangle(s, i, t) += share;
                for (int j = 0; j < d_rank; ++j)
                    q[j] -= share * basis(s, i)[j];
            }
        // An atom inside the span of those before says nothing new: it gets a zero gain.
        const double after = squared_norm(q);
        const bool is_new = after > 1e-6 * before;
        const float length = is_new ? static_cast<float>(std::sqrt(after)) : 1.0f;
        triangle(s, t, t) = length;
        for (int j = 0; j < d_rank; ++j)
            q[j] = is_new ? q[j] / length : gr_complex(0.0f);
        const gr_complex share = inner(q, z);
        d_projection[size_t(s) * d_max_atoms + t] = share;
        for (int j = 0; j < d_rank; ++j)
            z[j] -= share * q[j];
    }

    // Solves the triangle for the gains and adds up the waves.
    void synthesize(gr_complex* h)
    {
        std::fill_n(h, coefficients(), gr_complex(0.0f));
        for (int s = 0; s < d_subarrays; ++s) {
            gr_complex* gains = &d_projection[size_t(s) * d_max_atoms];
            for (int t = d_atoms[s] - 1; t >= 0; --t) {
                for (int i = t + 1; i < d_atoms[s]; ++i)
                    gains[t] -= triangle(s, t, i) * gains[i];
                gains[t] /= triangle(s, t, t);
                d_grid.wave(d_support[size_t(s) * d_max_atoms + t], d_waves.data());
                for (int j = 0; j < d_n; ++j)
                    h[size_t(s) * d_n + j] += gains[t] * d_waves[j];
            }
        }
    }

    gr_complex* basis(int s, int t) { return &d_basis[(size_t(t) * d_subarrays + s) * d_rank]; }
    gr_complex& triangle(int s, int i, int j)
    {
        return d_triangle[(size_t(s) * d_max_atoms + i) * d_max_atoms + j];
    }

    plane_wave_grid d_grid;
    const int d_subarrays, d_n, d_rank;
    const int d_group; // subarrays that share a support
    const int d_max_atoms;
    const double d_threshold;
    std::vector<float> d_energy; // ||G_s a_g||^2, [S][grid]
    std::vector<gr_complex> d_correlation;
    std::vector<float> d_metric;
    std::vector<gr_complex> d_waves;             // [S][n]
    std::vector<gr_complex> d_observed;          // [S][r]
    std::vector<gr_complex> d_weighted;          // [S][r]
    std::vector<gr_complex> d_basis, d_triangle; // Gram-Schmidt: Q [t][S][r], R [S][t][t]
    std::vector<gr_complex> d_projection;        // Q^H z [S][t], then the gains
    std::vector<int> d_support;                  // [S][t]
    std::vector<int> d_atoms;                    // found in each subarray
};

estimator::sptr
make_omp(const algorithm_info& info, const pilot_operator::sptr& op, const option_map& options)
{
    const option_reader reader(info, options);
    const auto& shape = op->shape();
    return std::make_shared<omp_estimator>(
        info,
        options,
        observation_model::make(op, dictionary::make("identity", shape.rows, shape.cols)),
        reader.integer("oversampling", 1, 8),
        reader);
}

} // namespace

algorithm omp()
{
    return { { "omp",
               "Orthogonal matching pursuit with plane waves on a DFT grid",
               with_common(
                   { { "joint", true, "Share the directions between subarrays, with free gains." },
                     { "oversampling",
                       4.0,
                       "Grid points per DFT bin on each axis, 1 (the DFT itself) to 8." },
                     { "max_atoms", 32.0, "Plane waves per subarray at most, 1 to 64." },
                     { "threshold",
                       18.0,
                       "A peak counts above noise_var * (subarrays in the sum + threshold)." } }) },
             make_omp };
}

} // namespace estimation
} // namespace thzum
} // namespace gr
