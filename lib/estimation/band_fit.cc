/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "estimation/band_fit.h"
#include "estimation/fit_kernels.h"
#include "measurement/matrix_kernels.h"
#include "measurement/padding.h"
#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

using complexd = std::complex<double>;

constexpr int columns_per_path = 3; // the wave and its two derivatives
constexpr int block = 4;            // what the products take at once, one column idle
constexpr double step_limit = 0.3;  // of a subarray's beam width or of a delay's, per step
constexpr double first_damping = 1e-3;
const complexd turn_slope(0.0, -2.0 * M_PI); // of exp(-j 2 pi x tau) by tau, over x

/*! out += a x. */
THZUM_MULTIVERSION
void add_scaled(float a, const float* __restrict x, float* __restrict out, int n)
{
    for (int i = 0; i < n; ++i)
        out[i] += a * x[i];
}

} // namespace

band_fit::band_fit(observation_model::sptr model,
                   const visible_region::sptr& region,
                   array_layout layout,
                   const subcarrier_grid& grid,
                   bool has_delays,
                   int max_paths)
    : d_layout(std::move(layout)),
      d_grid(grid),
      d_has_delays(has_delays),
      d_is_curved(d_layout.x.size() > 1),
      d_gram(model),
      d_atoms(region),
      d_subarrays(d_gram.subarrays()),
      d_blocks(has_delays ? 1 : grid.count),
      d_columns(round_up(columns_per_path * max_paths + 1, block)),
      d_measured(grid.count),
      d_path(max_paths),
      d_path_before(max_paths),
      d_delay(size_t(max_paths) * d_subarrays),
      d_delay_before(d_delay.size()),
      d_turn(d_delay.size() * grid.count),
      d_wave(size_t(d_subarrays) * grid.nodes * d_columns * stride(), 0.0f),
      d_seen_re(d_wave.size(), 0.0f),
      d_seen_im(d_gram.is_complex() ? d_wave.size() : 0, 0.0f),
      d_b(size_t(2) * d_subarrays * grid.count * stride(), 0.0f),
      d_b_one(size_t(2) * d_subarrays * stride(), 0.0f),
      d_in(size_t(block) * stride(), 0.0f),
      d_out(size_t(2) * block * std::max(stride(), d_columns), 0.0f),
      d_at(size_t(block) * stride(), 0.0f),
      d_inner(size_t(d_subarrays) * grid.nodes * d_columns * d_columns),
      d_match(d_turn.size() * columns_per_path),
      d_gain(d_delay.size() * d_blocks),
      d_local(size_t(4 * max_paths + 1) * (4 * max_paths + 1)),
      d_solution(max_paths),
      d_solution_delay(d_subarrays),
      d_hessian(size_t(parameters()) * max_paths * parameters() * max_paths),
      d_gradient(size_t(parameters()) * max_paths),
      d_step(d_gradient.size())
{
}

void band_fit::load(const gr_complex* z, const std::vector<char>& measured)
{
    const size_t length = 2 * size_t(stride());
    const size_t observed = d_gram.observations();
    std::copy(measured.begin(), measured.end(), d_measured.begin());
    for (int f = 0; f < subcarriers(); ++f) {
        d_gram.matched_filter(z + f * observed, d_b_one.data());
        for (int s = 0; s < d_subarrays; ++s)
            std::copy_n(
                &d_b_one[s * length], length, &d_b[(size_t(s) * subcarriers() + f) * length]);
    }
    d_paths = 0;
    d_explained = 0.0;
}

// As wave_at() of spherical_wave.h: rho is the source's distance from the subarray over that from the array's
// middle.
void band_fit::local_direction(const band_path& path, int s, double* ux, double* uy) const
{
    *ux = path.ux;
    *uy = path.uy;
    if (!d_is_curved)
        return;
    const double x = d_layout.x[s], y = d_layout.y[s], kappa = path.curvature;
    const double along = x * path.ux + y * path.uy, square = x * x + y * y;
    const double rho = std::sqrt(1.0 - 2.0 * kappa * along + kappa * kappa * square);
    *ux = (path.ux - kappa * x) / rho;
    *uy = (path.uy - kappa * y) / rho;
}

void band_fit::set(int p, const band_path& path, const double* delay)
{
    d_path[p] = path;
    d_paths = std::max(d_paths, p + 1);
    std::copy_n(delay, d_subarrays, &d_delay[size_t(p) * d_subarrays]);
    for (int s = 0; s < d_subarrays; ++s) {
        complexd* turn = &d_turn[(size_t(p) * d_subarrays + s) * subcarriers()];
        for (int f = 0; f < subcarriers(); ++f)
            turn[f] =
                d_has_delays ? std::polar(1.0, -2.0 * M_PI * d_grid.place[f] * delay[s]) : 1.0;
        update_waves(p, s);
        update_products(p, s);
        update_matches(p, s);
    }
}

void band_fit::update_waves(int p, int s)
{
    const int first = columns_per_path * p;
    if (s > 0 && !d_is_curved) {
        for (int j = 0; j < d_grid.nodes; ++j)
            std::copy_n(&d_wave[column(0, j, first)],
                        columns_per_path * stride(),
                        &d_wave[column(s, j, first)]);
        return;
    }
    double ux, uy;
    local_direction(d_path[p], s, &ux, &uy);
    for (int j = 0; j < d_grid.nodes; ++j) {
        const double cycles = d_layout.spacing * d_grid.node_ratio[j];
        float* wave = &d_wave[column(s, j, first)];
        d_atoms.evaluate(cycles * ux, cycles * uy, wave, wave + stride(), wave + 2 * stride());
        for (int i = stride(); i < columns_per_path * stride(); ++i)
            wave[i] *= static_cast<float>(cycles);
    }
}

void band_fit::update_products(int p, int s)
{
    const int first = columns_per_path * p, length = stride();
    const int used = round_up(columns_per_path * d_paths, block);
    for (int j = 0; j < d_grid.nodes; ++j) {
        const size_t own = column(s, j, first);
        d_gram.multiply(
            s, columns_per_path, &d_wave[own], &d_seen_re[own], d_gram.is_complex() ? &d_seen_im[own] : nullptr);
        complexd* inner = &d_inner[(size_t(s) * d_grid.nodes + j) * d_columns * d_columns];
        const auto project = [&](const volk::vector<float>& seen, const complexd& unit) {
            std::copy_n(&seen[own], columns_per_path * length, d_in.data());
            multiply_columns(
                &d_wave[column(s, j, 0)], used, length, d_in.data(), block, d_out.data());
            for (int c = 0; c < columns_per_path; ++c)
                for (int i = 0; i < columns_per_path * d_paths; ++i)
                    inner[size_t(i) * d_columns + first + c] += unit * double(d_out[c * used + i]);
        };
        for (int c = 0; c < columns_per_path; ++c)
            for (int i = 0; i < columns_per_path * d_paths; ++i)
                inner[size_t(i) * d_columns + first + c] = 0.0;
        project(d_seen_re, 1.0);
        if (d_gram.is_complex())
            project(d_seen_im, complexd(0.0, 1.0));
        for (int c = 0; c < columns_per_path; ++c)
            for (int i = 0; i < columns_per_path * d_paths; ++i)
                if (i < first || i >= first + columns_per_path)
                    inner[size_t(first + c) * d_columns + i] =
                        std::conj(inner[size_t(i) * d_columns + first + c]);
    }
}

void band_fit::update_matches(int p, int s)
{
    const int length = stride(), width = columns_per_path * length;
    complexd* match = &d_match[(size_t(p) * d_subarrays + s) * subcarriers() * columns_per_path];
    for (int f = 0; f < subcarriers(); ++f, match += columns_per_path) {
        if (!d_measured[f])
            continue;
        std::fill_n(d_at.data(), width, 0.0f);
        for (int j = 0; j < d_grid.nodes; ++j)
            add_scaled(static_cast<float>(d_grid.weight[size_t(f) * d_grid.nodes + j]),
                       &d_wave[column(s, j, columns_per_path * p)],
                       d_at.data(),
                       width);
        multiply_columns(d_at.data(),
                         block,
                         length,
                         &d_b[(size_t(s) * subcarriers() + f) * 2 * length],
                         2,
                         d_out.data());
        for (int c = 0; c < columns_per_path; ++c)
            match[c] = { d_out[c], d_out[block + c] };
    }
}

band_fit::pair_products band_fit::products(int p, int q, int s, int block, bool with_slopes) const
{
    pair_products sums = {};
    const complexd *a = turns(p, s), *b = turns(q, s);
    const int first = d_blocks > 1 ? block : 0, last = d_blocks > 1 ? block + 1 : subcarriers();
    for (int j = 0; j < d_grid.nodes; ++j) {
        complexd zeroth = 0.0, once = 0.0, twice = 0.0;
        for (int f = first; f < last; ++f) {
            if (!d_measured[f])
                continue;
            const double x = d_grid.place[f];
            const complexd turn =
                d_grid.weight[size_t(f) * d_grid.nodes + j] * std::conj(a[f]) * b[f];
            zeroth += turn;
            once += x * turn;
            twice += x * x * turn;
        }
        const int i = columns_per_path * p, k = columns_per_path * q;
        const int used = with_slopes ? columns_per_path : 1;
        for (int c = 0; c < used; ++c)
            for (int d = 0; d < used; ++d) {
                const complexd product = inner(s, j, i + c, k + d);
                sums.still[c][d] += zeroth * product;
                sums.once[c][d] += once * product;
            }
        sums.twice += twice * inner(s, j, i, k);
    }
    return sums;
}

// Unknowns: the gains, then (u, v, tau) of each path at this subarray, then the right-hand side,
// whose corner collects minus the explained energy.
void band_fit::fill_gains(int s, int block, bool with_slopes, int width)
{
    for (int p = 0; p < d_paths; ++p)
        for (int q = p; q < d_paths; ++q) {
            const auto sums = products(p, q, s, block, with_slopes);
            d_local[size_t(p) * width + q] = sums.still[0][0];
            if (with_slopes)
                fill_slopes(s, block, p, q, sums, width);
        }
    fill_matches(s, block, with_slopes, width);
}

void band_fit::fill_slopes(int s, int block, int p, int q, const pair_products& sums, int width)
{
    const complexd gp = free_gain(p, s, block), gq = free_gain(q, s, block);
    const int at_p = d_paths + slopes() * p, at_q = d_paths + slopes() * q;
    complexd* gain_row = &d_local[size_t(p) * width + at_q];
    complexd* other_row = &d_local[size_t(q) * width + at_p];
    for (int c = 0; c < 2; ++c) {
        gain_row[c] = gq * sums.still[0][c + 1];
        other_row[c] = gp * std::conj(sums.still[c + 1][0]);
    }
    if (d_has_delays) {
        gain_row[2] = turn_slope * gq * sums.once[0][0];
        other_row[2] = turn_slope * gp * std::conj(sums.once[0][0]);
    }
    const complexd both = std::conj(gp) * gq;
    for (int c = 0; c < slopes(); ++c) {
        complexd* row = &d_local[size_t(at_p + c) * width + at_q];
        for (int d = 0; d < slopes(); ++d) {
            if (c < 2 && d < 2)
                row[d] = both * sums.still[c + 1][d + 1];
            else if (c < 2)
                row[d] = both * turn_slope * sums.once[c + 1][0];
            else if (d < 2)
                row[d] = both * std::conj(turn_slope) * sums.once[0][d + 1];
            else
                row[d] = both * std::norm(turn_slope) * sums.twice;
        }
    }
}

void band_fit::fill_matches(int s, int block, bool with_slopes, int width)
{
    const int first = d_blocks > 1 ? block : 0, last = d_blocks > 1 ? block + 1 : subcarriers();
    for (int p = 0; p < d_paths; ++p) {
        const complexd* turn = turns(p, s);
        const complexd* match =
            &d_match[(size_t(p) * d_subarrays + s) * subcarriers() * columns_per_path];
        complexd sum[columns_per_path] = {}, along = 0.0;
        for (int f = first; f < last; ++f) {
            if (!d_measured[f])
                continue;
            const complexd back = std::conj(turn[f]);
            for (int c = 0; c < columns_per_path; ++c)
                sum[c] += back * match[f * columns_per_path + c];
            along += d_grid.place[f] * back * match[f * columns_per_path];
        }
        d_local[size_t(p) * width + width - 1] = sum[0];
        if (!with_slopes)
            continue;
        const complexd gain = std::conj(free_gain(p, s, block));
        const int at = d_paths + slopes() * p;
        for (int c = 0; c < 2; ++c)
            d_local[size_t(at + c) * width + width - 1] = gain * sum[c + 1];
        if (d_has_delays)
            d_local[size_t(at + 2) * width + width - 1] = std::conj(turn_slope) * gain * along;
    }
    d_local[size_t(width) * width - 1] = 0.0;
}

double band_fit::solve()
{
    const int width = d_paths + 1;
    d_explained = 0.0;
    for (int s = 0; s < d_subarrays; ++s)
        for (int block = 0; block < d_blocks; ++block) {
            fill_gains(s, block, false, width);
            eliminate(d_local.data(), width, width, d_paths);
            d_explained -= d_local[size_t(width) * width - 1].real();
            for (int p = d_paths - 1; p >= 0; --p)
                free_gain(p, s, block) = d_solution[p] =
                    back_substitute(d_local.data(), width, width, p, d_solution.data());
        }
    return d_explained;
}

void band_fit::linearise()
{
    const int size = parameters() * d_paths, width = (1 + slopes()) * d_paths + 1;
    std::fill_n(d_hessian.begin(), size_t(size) * size, 0.0);
    std::fill_n(d_gradient.begin(), size, 0.0);
    for (int s = 0; s < d_subarrays; ++s)
        for (int block = 0; block < d_blocks; ++block) {
            fill_gains(s, block, true, width);
            eliminate(d_local.data(), width, width, d_paths);
            scatter(s, width);
        }
}

// From (u, v, tau) at subarray s to direction, curvature and delays of the path: curvature moves
// the direction at (x, y) by -(x, y).
void band_fit::scatter(int s, int width)
{
    struct target {
        int at[2], count;
        double factor[2];
    };
    const int size = parameters() * d_paths, moving = slopes() * d_paths;
    const auto target_of = [&](int unknown) -> target {
        const int p = unknown / slopes(), kind = unknown % slopes(), base = parameters() * p;
        if (kind == 2)
            return { { base + 2 + (d_is_curved ? 1 : 0) + s, 0 }, 1, { 1.0, 0.0 } };
        if (!d_is_curved)
            return { { base + kind, 0 }, 1, { 1.0, 0.0 } };
        return { { base + kind, base + 2 }, 2, { 1.0, -(kind ? d_layout.y[s] : d_layout.x[s]) } };
    };
    for (int i = 0; i < moving; ++i) {
        const auto from = target_of(i);
        const complexd* row = &d_local[size_t(d_paths + i) * width + d_paths];
        for (int a = 0; a < from.count; ++a)
            d_gradient[from.at[a]] += from.factor[a] * row[moving].real();
        for (int j = i; j < moving; ++j) {
            const auto to = target_of(j);
            for (int a = 0; a < from.count; ++a)
                for (int b = 0; b < to.count; ++b) {
                    const double value = from.factor[a] * to.factor[b] * row[j].real();
                    d_hessian[size_t(from.at[a]) * size + to.at[b]] += value;
                    if (i != j)
                        d_hessian[size_t(to.at[b]) * size + from.at[a]] += value;
                }
        }
    }
}

double band_fit::refine(int steps, double enough)
{
    solve();
    double damping = first_damping;
    for (int step = 0; step < steps && d_paths > 0; ++step) {
        const double before = d_explained;
        linearise();
        if (!try_step(damping)) {
            damping *= 100.0;
            continue;
        }
        damping *= 0.1;
        if (d_explained - before < enough)
            break;
    }
    return d_explained;
}

// One damped step; false, with everything as before, where it does not pay.
bool band_fit::try_step(double damping)
{
    const int own = parameters(), size = own * d_paths;
    for (int i = 0; i < size; ++i) {
        double& diagonal = d_hessian[size_t(i) * size + i];
        diagonal = diagonal * (1.0 + damping) + 1e-30;
    }
    Eigen::Map<Eigen::MatrixXd> hessian(d_hessian.data(), size, size);
    Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> factor(hessian);
    if (factor.info() != Eigen::Success)
        return false;
    Eigen::Map<Eigen::VectorXd> solution(d_step.data(), size);
    solution = Eigen::Map<const Eigen::VectorXd>(d_gradient.data(), size);
    factor.solveInPlace(solution);

    const auto limited = [](double x, double limit) { return std::clamp(x, -limit, limit); };
    const double before = d_explained;
    std::copy_n(d_path.begin(), d_paths, d_path_before.begin());
    std::copy_n(d_delay.begin(), size_t(d_paths) * d_subarrays, d_delay_before.begin());
    for (int p = 0; p < d_paths; ++p) {
        const double* step = &d_step[size_t(own) * p];
        band_path next = d_path[p];
        next.ux += limited(*step++, step_limit / (d_atoms.cols() * d_layout.spacing));
        next.uy += limited(*step++, step_limit / (d_atoms.rows() * d_layout.spacing));
        const double length = std::max(1.0, std::hypot(next.ux, next.uy));
        next.ux /= length;
        next.uy /= length;
        if (d_is_curved)
            next.curvature = std::clamp(next.curvature + *step++, 0.0, d_max_curvature);
        for (int s = 0; s < d_subarrays; ++s)
            d_solution_delay[s] =
                delays(p)[s] + (d_has_delays ? limited(step[s], step_limit) : 0.0);
        set(p, next, d_solution_delay.data());
    }
    if (solve() > before)
        return true;
    for (int p = 0; p < d_paths; ++p)
        set(p, d_path_before[p], &d_delay_before[size_t(p) * d_subarrays]);
    solve();
    return false;
}

void band_fit::residual(float* re, float* im) const
{
    const int length = stride();
    for (int s = 0; s < d_subarrays; ++s)
        for (int f = 0; f < subcarriers(); ++f) {
            const size_t at = size_t(s) * subcarriers() + f;
            float* out_re = re + at * length;
            float* out_im = im + at * length;
            std::copy_n(&d_b[2 * at * length], length, out_re);
            std::copy_n(&d_b[(2 * at + 1) * length], length, out_im);
            for (int p = 0; p < d_paths && d_measured[f]; ++p) {
                const complexd g = gain(p, s, f) * turns(p, s)[f];
                for (int j = 0; j < d_grid.nodes; ++j) {
                    const auto a = gr_complex(g * d_grid.weight[size_t(f) * d_grid.nodes + j]);
                    const size_t seen = column(s, j, columns_per_path * p);
                    subtract_scaled(a.real(),
                                    a.imag(),
                                    &d_seen_re[seen],
                                    d_gram.is_complex() ? &d_seen_im[seen] : nullptr,
                                    out_re,
                                    out_im,
                                    length);
                }
            }
        }
}

void band_fit::synthesize(gr_complex* c) const
{
    const int size = d_gram.size();
    for (int f = 0; f < subcarriers(); ++f)
        for (int s = 0; s < d_subarrays; ++s) {
            gr_complex* out = c + (size_t(f) * d_subarrays + s) * size;
            std::fill_n(out, size, gr_complex(0.0f));
            for (int p = 0; p < d_paths; ++p) {
                const complexd g = gain(p, s, f) * turns(p, s)[f];
                for (int j = 0; j < d_grid.nodes; ++j) {
                    const auto a = gr_complex(g * d_grid.weight[size_t(f) * d_grid.nodes + j]);
                    const float* wave = &d_wave[column(s, j, columns_per_path * p)];
                    for (int i = 0; i < size; ++i)
                        out[i] += a * wave[i];
                }
            }
        }
}

double band_fit::error_per_noise() const
{
    const auto count = std::count(d_measured.begin(), d_measured.end(), 1);
    const double full = double(d_subarrays) * d_atoms.rows() * d_atoms.cols() * subcarriers();
    double sum = 0.0;
    for (int p = 0; p < d_paths; ++p) {
        double seen = 0.0;
        for (int s = 0; s < d_subarrays; ++s)
            for (int block = 0; block < d_blocks; ++block)
                seen += products(p, p, s, block, false).still[0][0].real();
        const double gains = 2.0 * d_subarrays * (d_has_delays ? 1 : count);
        if (seen > 0.0)
            sum += 0.5 * (parameters() + gains) * full / seen;
    }
    return sum;
}

} // namespace estimation
} // namespace thzum
} // namespace gr
