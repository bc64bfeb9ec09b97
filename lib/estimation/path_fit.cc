/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/fit_kernels.h"
#include "estimation/path_fit.h"
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

constexpr int columns_per_path = 3;     // the wave and its two derivatives
constexpr int block = 4;                // rows that the products take at once
constexpr double expansion_limit = 0.1; // of a subarray's beam width
constexpr double first_damping = 1e-3;

} // namespace

reduced_path::reduced_path(int subarrays, int max_paths)
    : coupled(0),
      explained(0.0),
      u(subarrays),
      v(subarrays),
      normal(size_t(9) * subarrays),
      match(size_t(3) * subarrays),
      coupling(size_t(max_paths) * (max_paths + 3 * subarrays + 1))
{
}

path_fit::path_fit(observation_model::sptr model,
                   const visible_region::sptr& region,
                   array_layout layout,
                   int max_paths)
    : d_layout(std::move(layout)),
      d_gram(model),
      d_atoms(region),
      d_subarrays(d_gram.subarrays()),
      d_room(round_up(max_paths, block)),
      d_columns(columns_per_path * d_room),
      d_unknowns(4 * max_paths + 1),
      d_limits(limits_of(d_layout, d_atoms.rows(), d_atoms.cols(), 0.0)),
      d_path(max_paths),
      d_before(max_paths),
      d_trial(max_paths),
      d_placed(size_t(max_paths) * d_subarrays),
      d_wave(size_t(d_subarrays) * d_columns * stride(), 0.0f),
      d_seen_re(d_wave.size(), 0.0f),
      d_seen_im(d_gram.is_complex() ? d_wave.size() : 0, 0.0f),
      d_product_re(size_t(d_columns) * stride(), 0.0f),
      d_product_im(d_gram.is_complex() ? d_product_re.size() : 0, 0.0f),
      d_b(size_t(2) * d_subarrays * stride(), 0.0f),
      d_in(size_t(d_columns) * stride(), 0.0f),
      d_out(size_t(d_room) * std::max(d_columns, 4 * round_up(d_subarrays, 2)), 0.0f),
      d_residual(size_t(2) * round_up(d_subarrays, 2) * stride(), 0.0f),
      d_inner(size_t(d_subarrays) * d_columns * d_columns),
      d_match(size_t(d_subarrays) * d_columns),
      d_gain(size_t(max_paths) * d_subarrays),
      d_local(size_t(d_subarrays) * d_unknowns * d_unknowns),
      d_shared(size_t(d_unknowns) * d_unknowns),
      d_unknown(max_paths),
      d_solution(d_unknowns),
      d_hessian(size_t(9) * max_paths * max_paths),
      d_gradient(3 * max_paths),
      d_step(3 * max_paths),
      d_overlap(size_t(9) * max_paths * max_paths),
      d_wave_energy(max_paths),
      d_weighted(d_gain.size())
{
    const auto& sigma = model->singular_values();
    const size_t rank = sigma.size() / d_subarrays;
    for (int s = 0; s < d_subarrays; ++s)
        d_live +=
            std::any_of(&sigma[s * rank], &sigma[s * rank] + rank, [](float x) { return x > 0; });
}

void path_fit::load(const gr_complex* z)
{
    d_gram.matched_filter(z, d_b.data());
    d_paths = 0;
    d_explained = 0.0;
    d_has_slopes = false;
}

bool path_fit::is_coherent() const
{
    return std::any_of(
        d_path.begin(), d_path.begin() + d_paths, [](auto& p) { return p.coherent; });
}

void path_fit::set(int p, const fitted_path& path)
{
    d_path[p] = path;
    d_paths = std::max(d_paths, p + 1);
    place(p, 1);
}

bool path_fit::reaches(int p, const fitted_path& path) const
{
    if (!d_has_slopes)
        return false;
    for (int s = 0; s < d_subarrays; ++s) {
        const local_wave wave = wave_at(d_layout, path, s);
        const placed_wave& columns = placed(p, s);
        if (std::abs(wave.u - columns.u) * d_atoms.cols() > expansion_limit ||
            std::abs(wave.v - columns.v) * d_atoms.rows() > expansion_limit)
            return false;
    }
    return true;
}

void path_fit::move(int p, const fitted_path& path) { put(p, 1, &path, true); }

void path_fit::expand(int p)
{
    for (int s = 0; s < d_subarrays; ++s) {
        placed_wave& own = placed(p, s);
        own.wave = wave_at(d_layout, d_path[p], s);
        own.turn = std::polar(1.0, own.wave.phase);
    }
}

double path_fit::expansion(int p) const
{
    double most = 0.0;
    for (int s = 0; s < d_subarrays; ++s) {
        const placed_wave& own = placed(p, s);
        most = std::max({ most,
                          std::abs(own.wave.u - own.u) * d_atoms.cols(),
                          std::abs(own.wave.v - own.v) * d_atoms.rows() });
    }
    return most;
}

bool path_fit::any_expanded() const
{
    for (int p = 0; p < d_paths; ++p)
        if (expansion(p) > 0.0)
            return true;
    return false;
}

void path_fit::recentre()
{
    for (int p = 0; p < d_paths; ++p)
        if (expansion(p) > 0.0) {
            int count = 1;
            while (p + count < d_paths && expansion(p + count) > 0.0)
                ++count;
            place(p, count);
        }
}

void path_fit::remove(int p)
{
    const fitted_path last = d_path[d_paths - 1];
    drop_last();
    if (p < d_paths)
        set(p, last);
}

void path_fit::require_slopes()
{
    if (d_has_slopes)
        return;
    d_has_slopes = true;
    for (int p = 0; p < d_paths; ++p)
        for (int s = 1; s < d_subarrays; ++s)
            copy_columns(p, s, 1);
    for (int s = 0; s < d_subarrays && d_paths; ++s)
        update_products(0, d_paths, s, 1);
}

void path_fit::place(int first, int count)
{
    for (int p = first; p < first + count; ++p) {
        expand(p);
        for (int s = 0; s < d_subarrays; ++s)
            evaluate(p, s);
    }
    for (int s = 0; s < d_subarrays; ++s)
        update_products(first, count, s, 0);
}

// A wave with free gains is the same in all subarrays. Its slopes are read in the first one, unless
// their inner products are kept.
void path_fit::evaluate(int p, int s)
{
    const local_wave& wave = placed(p, s).wave;
    placed(p, s).u = wave.u;
    placed(p, s).v = wave.v;
    float* columns[columns_per_path];
    for (int kind = 0; kind < columns_per_path; ++kind)
        columns[kind] = &d_wave[column(s, index(p, kind))];
    if (d_path[p].coherent || s == 0) {
        d_atoms.evaluate(wave.u, wave.v, columns[0], columns[1], columns[2]);
        return;
    }
    copy_columns(p, s, 0);
}

// Of the path's kinds from first_kind on; a coherent path has its own.
void path_fit::copy_columns(int p, int s, int first_kind)
{
    if (d_path[p].coherent)
        return;
    for (int kind = first_kind; kind < kinds(); ++kind)
        std::copy_n(
            &d_wave[column(0, index(p, kind))], stride(), &d_wave[column(s, index(p, kind))]);
}

// All kinds from first_kind on at once, so that the Gram matrix streams by as rarely as possible.
void path_fit::update_products(int first, int count, int s, int first_kind)
{
    const size_t length = size_t(count) * stride();
    const int columns = count * (kinds() - first_kind);
    for (int kind = first_kind; kind < kinds(); ++kind)
        std::copy_n(
            &d_wave[column(s, index(first, kind))], length, &d_in[(kind - first_kind) * length]);
    d_gram.multiply(s, columns, d_in.data(), d_product_re.data(), d_product_im.data());
    if (first_kind == 0) {
        const size_t own = column(s, index(first, 0));
        std::copy_n(d_product_re.data(), length, &d_seen_re[own]);
        if (d_gram.is_complex())
            std::copy_n(d_product_im.data(), length, &d_seen_im[own]);
    }
    project(s, first, count, first_kind);
    update_matches(s);
}

// Inner products of the columns that have moved with all others, whose sides of the diagonal are
// filled in as well.
void path_fit::project(int s, int first, int count, int first_kind)
{
    const int length = stride(), used = round_up(d_paths, block);
    const int columns = count * (kinds() - first_kind);
    const auto entry = [&](int i, int j) -> complexd& {
        return d_inner[(size_t(s) * d_columns + i) * d_columns + j];
    };
    const auto place_of = [&](int c) { return index(first + c % count, first_kind + c / count); };
    const auto multiply = [&](const volk::vector<float>& seen, int rows) {
        multiply_columns(&d_wave[column(s, rows)],
                         used,
                         length,
                         seen.data(),
                         round_up(columns, 2),
                         d_out.data());
    };
    for (int other = 0; other < kinds(); ++other) {
        const int rows = index(0, other);
        multiply(d_product_re, rows);
        for (int c = 0; c < columns; ++c)
            for (int j = 0; j < d_paths; ++j)
                entry(rows + j, place_of(c)) = d_out[size_t(c) * used + j];
        if (d_gram.is_complex()) {
            multiply(d_product_im, rows);
            for (int c = 0; c < columns; ++c)
                for (int j = 0; j < d_paths; ++j)
                    entry(rows + j, place_of(c)).imag(d_out[size_t(c) * used + j]);
        }
        for (int c = 0; c < columns; ++c)
            for (int j = 0; j < d_paths; ++j)
                entry(place_of(c), rows + j) = std::conj(entry(rows + j, place_of(c)));
    }
}

void path_fit::update_matches(int s)
{
    const int length = stride(), used = round_up(d_paths, block);
    for (int kind = 0; kind < kinds(); ++kind) {
        const int rows = index(0, kind);
        multiply_columns(
            &d_wave[column(s, rows)], used, length, &d_b[size_t(2) * s * length], 2, d_out.data());
        for (int j = 0; j < d_paths; ++j)
            d_match[size_t(s) * d_columns + rows + j] = { d_out[j], d_out[used + j] };
    }
}

path_fit::unknown path_fit::wave_unknown(int p, int s) const
{
    const placed_wave& own = placed(p, s);
    return { 0, { own.turn, own.turn * (own.wave.u - own.u), own.turn * (own.wave.v - own.v) } };
}

path_fit::unknown path_fit::slope_unknown(int p, int s, int parameter) const
{
    const placed_wave& own = placed(p, s);
    const complexd gain = this->gain(p, s);
    const complexd along(0.0, own.wave.phase_slope[parameter]);
    return { 0,
             { gain * along,
               gain * (along * (own.wave.u - own.u) + own.wave.u_slope[parameter]),
               gain * (along * (own.wave.v - own.v) + own.wave.v_slope[parameter]) } };
}

// In the order: free gains (of the subarray alone), coherent gains, slopes of the moving paths.
void path_fit::list_unknowns(int s, int first, int count)
{
    int free = 0, coherent = d_free, last = d_paths;
    for (int p = 0; p < d_paths; ++p) {
        auto& own = d_unknown[p];
        own.entry[0] = wave_unknown(p, s);
        own.entry[0].at = d_path[p].coherent ? coherent++ : free++;
        own.count = 1;
    }
    for (int p = first; p < first + count; ++p)
        for (int k = 0; k < parameters(p); ++k) {
            unknown& slope = d_unknown[p].entry[d_unknown[p].count++];
            slope = slope_unknown(p, s, k);
            slope.at = last++;
        }
}

// Free gains, coherent gains, the columns of path p.
void path_fit::list_columns(int s, int p)
{
    list_unknowns(s, 0, 0);
    const int own_at = d_unknown[p].entry[0].at;
    for (int q = 0; q < d_paths; ++q)
        if (d_unknown[q].entry[0].at > own_at)
            --d_unknown[q].entry[0].at;
    d_unknown[p].count = columns_per_path;
    for (int kind = 0; kind < columns_per_path; ++kind) {
        unknown& column = d_unknown[p].entry[kind];
        column = { d_paths - 1 + kind, { 0.0, 0.0, 0.0 } };
        column.factor[kind] = 1.0;
    }
}

// Normal equations of the unknowns listed, upper triangle, right-hand side last. The corner below
// it collects minus the energy that eliminated unknowns explain.
path_fit::complexd* path_fit::fill(int s, int size)
{
    complexd* m = &d_local[size_t(s) * d_unknowns * d_unknowns];
    const int kinds = this->kinds();
    for (int p = 0; p < d_paths; ++p) {
        const path_unknowns& own = d_unknown[p];
        for (int q = p; q < d_paths; ++q) {
            const path_unknowns& other = d_unknown[q];
            for (int b = 0; b < other.count; ++b) {
                const unknown& right = other.entry[b];
                complexd seen[columns_per_path] = {};
                for (int i = 0; i < kinds; ++i)
                    for (int j = 0; j < kinds; ++j) {
                        const complexd value = inner(s, index(p, i), index(q, j));
                        seen[i] += d_gram.is_complex() ? multiply(value, right.factor[j])
                                                       : value.real() * right.factor[j];
                    }
                for (int a = 0; a < (p == q ? b + 1 : own.count); ++a) {
                    const unknown& left = own.entry[a];
                    complexd sum = 0.0;
                    for (int i = 0; i < kinds; ++i)
                        sum += multiply(std::conj(left.factor[i]), seen[i]);
                    if (left.at <= right.at)
                        m[size_t(left.at) * d_unknowns + right.at] = sum;
                    else
                        m[size_t(right.at) * d_unknowns + left.at] = std::conj(sum);
                }
            }
        }
        for (int a = 0; a < own.count; ++a) {
            complexd sum = 0.0;
            for (int i = 0; i < kinds; ++i)
                sum += multiply(std::conj(own.entry[a].factor[i]),
                                d_match[size_t(s) * d_columns + index(p, i)]);
            m[size_t(own.entry[a].at) * d_unknowns + size - 1] = sum;
        }
    }
    m[size_t(size - 1) * d_unknowns + size - 1] = 0.0;
    return m;
}

void path_fit::eliminate_gains(int first, int count)
{
    int moving = 0;
    for (int p = first; p < first + count; ++p)
        moving += parameters(p);
    d_free = static_cast<int>(std::count_if(
        d_path.begin(), d_path.begin() + d_paths, [](auto& p) { return !p.coherent; }));
    const int size = d_paths + moving + 1, shared = size - d_free;
    for (int i = 0; i < shared; ++i)
        std::fill_n(&d_shared[size_t(i) * d_unknowns + i], shared - i, complexd(0.0));
    for (int s = 0; s < d_subarrays; ++s) {
        list_unknowns(s, first, count);
        complexd* m = fill(s, size);
        eliminate(m, d_unknowns, size, d_free);
        for (int i = 0; i < shared; ++i)
            for (int j = i; j < shared; ++j)
                d_shared[size_t(i) * d_unknowns + j] +=
                    m[size_t(d_free + i) * d_unknowns + d_free + j];
    }
    eliminate(d_shared.data(), d_unknowns, shared, d_paths - d_free);
    d_explained = -d_shared[size_t(shared - 1) * d_unknowns + shared - 1].real();
}

void path_fit::reduce(int p, reduced_path* reduced)
{
    const int others = d_paths - 1, size = others + columns_per_path + 1;
    int free = 0;
    for (int q = 0; q < d_paths; ++q)
        free += q != p && !d_path[q].coherent;
    const int coupled = others - free, values = columns_per_path * d_subarrays;
    const int width = coupled + values + 1;
    complexd* rows = reduced->coupling.data();
    std::fill_n(rows, size_t(coupled) * width, complexd(0.0));
    reduced->explained = 0.0;
    for (int s = 0; s < d_subarrays; ++s) {
        reduced->u[s] = placed(p, s).u;
        reduced->v[s] = placed(p, s).v;
        d_free = free + !d_path[p].coherent;
        list_columns(s, p);
        const complexd* m = fill(s, size);
        eliminate(&d_local[size_t(s) * d_unknowns * d_unknowns], d_unknowns, size, free);
        for (int i = 0; i < coupled; ++i) {
            const complexd* from = m + size_t(free + i) * d_unknowns;
            complexd* row = rows + size_t(i) * width;
            for (int j = i; j < coupled; ++j)
                row[j] += from[free + j];
            std::copy_n(from + others, columns_per_path, row + coupled + columns_per_path * s);
            row[width - 1] += from[size - 1];
        }
        for (int i = 0; i < columns_per_path; ++i) {
            const complexd* from = m + size_t(others + i) * d_unknowns + others;
            complexd* normal = &reduced->normal[size_t(9) * s];
            for (int j = i; j < columns_per_path; ++j) {
                normal[3 * i + j] = from[j];
                normal[3 * j + i] = std::conj(from[j]);
            }
            reduced->match[size_t(3) * s + i] = from[columns_per_path];
        }
        reduced->explained -= m[size_t(size - 1) * d_unknowns + size - 1].real();
    }
    eliminate(rows, width, width, coupled, coupled);
    reduced->coupled = 0;
    for (int k = 0; k < coupled; ++k) {
        const complexd* row = rows + size_t(k) * width;
        if (!(row[k].real() > 0.0))
            continue;
        const double scale = 1.0 / std::sqrt(row[k].real());
        const complexd explained = scale * row[width - 1];
        reduced->explained += std::norm(explained);
        complexd* w = rows + size_t(reduced->coupled++) * values;
        for (int i = 0; i < values; ++i) {
            w[i] = scale * row[coupled + i];
            reduced->match[i] -= multiply(std::conj(w[i]), explained);
        }
    }
}

double path_fit::solve()
{
    if (!is_coherent() && !any_expanded()) {
        solve_free_gains();
        return d_explained;
    }
    eliminate_gains(0, 0);
    substitute_gains();
    return d_explained;
}

void path_fit::solve_free_gains()
{
    d_free = d_paths;
    d_explained = 0.0;
    const int size = d_paths + 1;
    for (int s = 0; s < d_subarrays; ++s) {
        complexd* m = &d_local[size_t(s) * d_unknowns * d_unknowns];
        for (int p = 0; p < d_paths; ++p) {
            std::copy_n(&d_inner[(size_t(s) * d_columns + p) * d_columns + p],
                        d_paths - p,
                        m + size_t(p) * d_unknowns + p);
            m[size_t(p) * d_unknowns + d_paths] = d_match[size_t(s) * d_columns + p];
        }
        complexd& corner = m[size_t(d_paths) * d_unknowns + d_paths];
        corner = 0.0;
        eliminate(m, d_unknowns, size, d_paths);
        d_explained -= corner.real();
        for (int p = d_paths - 1; p >= 0; --p) {
            d_solution[p] = back_substitute(m, d_unknowns, size, p, d_solution.data());
            d_gain[size_t(p) * d_subarrays + s] = d_solution[p];
        }
    }
}

void path_fit::substitute_gains()
{
    const int coherent = d_paths - d_free, size = d_paths + 1;
    for (int k = coherent - 1; k >= 0; --k)
        d_solution[d_free + k] =
            back_substitute(d_shared.data(), d_unknowns, coherent + 1, k, &d_solution[d_free]);
    for (int s = 0; s < d_subarrays; ++s) {
        const complexd* m = &d_local[size_t(s) * d_unknowns * d_unknowns];
        for (int k = d_free - 1; k >= 0; --k)
            d_solution[k] = back_substitute(m, d_unknowns, size, k, d_solution.data());
        int free = 0, other = d_free;
        for (int p = 0; p < d_paths; ++p)
            d_gain[size_t(p) * d_subarrays + s] = d_solution[d_path[p].coherent ? other++ : free++];
    }
}

std::complex<double> path_fit::gain(int p, int s) const
{
    const size_t at = size_t(p) * d_subarrays + s;
    return d_path[p].coherent ? multiply(d_gain[at], d_placed[at].turn) : d_gain[at];
}

path_estimate path_fit::describe(int p) const
{
    const fitted_path& path = d_path[p];
    double power = 0.0;
    for (int s = 0; s < d_subarrays; ++s)
        power += std::norm(gain(p, s)) / d_subarrays;
    return { static_cast<float>(path.ux),
             static_cast<float>(path.uy),
             static_cast<float>(path.coherent ? 1.0 / path.curvature : std::nan("")),
             gr_complex(common_gain(p)),
             static_cast<float>(power),
             path.coherent };
}

double path_fit::refine(int first, int count, int steps, double enough)
{
    climb(first, count, steps, enough);
    if (!any_expanded())
        return d_explained;
    recentre();
    return solve();
}

double path_fit::climb(int first, int count, int steps, double enough)
{
    solve();
    double damping = first_damping;
    bool is_exact = is_coherent() || any_expanded();
    for (int step = 0; step < steps; ++step) {
        const double before = d_explained;
        const int parameters =
            is_exact ? exact_system(first, count) : expected_system(first, count);
        if (!try_step(first, count, parameters, damping, is_exact)) {
            damping *= is_exact ? 100.0 : 1.0;
            is_exact = true;
            continue;
        }
        damping *= 0.1;
        if (d_explained - before < enough)
            break;
    }
    return d_explained;
}

int path_fit::exact_system(int first, int count)
{
    require_slopes();
    eliminate_gains(first, count);
    int parameters = 0;
    for (int p = first; p < first + count; ++p)
        parameters += this->parameters(p);
    const int coherent = d_paths - d_free;
    for (int i = 0; i < parameters; ++i) {
        const complexd* row = &d_shared[size_t(coherent + i) * d_unknowns + coherent];
        for (int j = i; j < parameters; ++j)
            d_hessian[size_t(i) * parameters + j] = d_hessian[size_t(j) * parameters + i] =
                row[j].real();
        d_gradient[i] = row[parameters].real();
    }
    return parameters;
}

// With a gain of its own, a path's slope in a subarray is that gain times a real column that is the
// same everywhere. What is left of these columns behind the waves is then common to all subarrays,
// and the sum over them is a sum of gains.
int path_fit::expected_system(int first, int count)
{
    const int parameters = 2 * count, waves = d_paths, width = waves + parameters;
    project_residual(first, count);
    expected_slopes(first, count);
    for (int p = first; p < first + count; ++p)
        for (int s = 0; s < d_subarrays; ++s) {
            const double share = inner(s, p, p).real() / d_wave_energy[p];
            d_weighted[size_t(p) * d_subarrays + s] =
                d_layout.spacing * std::sqrt(share) * d_gain[size_t(p) * d_subarrays + s];
        }
    for (int i = 0; i < parameters; ++i)
        for (int j = i; j < parameters; ++j) {
            const complexd* a = &d_weighted[size_t(first + i / 2) * d_subarrays];
            const complexd* b = &d_weighted[size_t(first + j / 2) * d_subarrays];
            double sum = 0.0;
            for (int s = 0; s < d_subarrays; ++s)
                sum += a[s].real() * b[s].real() + a[s].imag() * b[s].imag();
            d_hessian[size_t(i) * parameters + j] = d_hessian[size_t(j) * parameters + i] =
                sum * d_overlap[size_t(waves + i) * width + waves + j];
        }
    return parameters;
}

// Gradient of the explained energy: the residual, seen by the slopes of the moving paths.
void path_fit::project_residual(int first, int count)
{
    const int length = stride(), used = round_up(d_paths, block), half = round_up(d_subarrays, 2);
    residual(d_residual.data(), &d_residual[size_t(half) * length]);
    for (int kind = 1; kind < columns_per_path; ++kind) {
        multiply_columns(&d_wave[column(0, index(0, kind))],
                         used,
                         length,
                         d_residual.data(),
                         2 * half,
                         d_out.data());
        for (int p = first; p < first + count; ++p) {
            double sum = 0.0;
            for (int s = 0; s < d_subarrays; ++s) {
                const complexd gain = d_gain[size_t(p) * d_subarrays + s];
                sum += gain.real() * d_out[size_t(s) * used + p] +
                       gain.imag() * d_out[size_t(half + s) * used + p];
            }
            d_gradient[2 * (p - first) + kind - 1] = d_layout.spacing * sum;
        }
    }
}

// Inner products over all antennas of all waves and the slopes of the moving paths, upper triangle,
// with the waves then eliminated.
void path_fit::expected_slopes(int first, int count)
{
    const int length = stride(), used = round_up(d_paths, block);
    const int width = d_paths + 2 * count;
    const auto row_of = [&](int kind, int p) {
        return kind ? d_paths + 2 * (p - first) + kind - 1 : p;
    };
    for (int kind = 0; kind < columns_per_path; ++kind)
        for (int other = 0; other <= kind; ++other) {
            multiply_columns(&d_wave[column(0, index(0, other))],
                             used,
                             length,
                             &d_wave[column(0, index(0, kind))],
                             used,
                             d_out.data());
            for (int p = kind ? first : 0; p < (kind ? first + count : d_paths); ++p)
                for (int q = other ? first : 0; q < (other ? first + count : d_paths); ++q) {
                    const int i = row_of(other, q), j = row_of(kind, p);
                    d_overlap[size_t(std::min(i, j)) * width + std::max(i, j)] =
                        d_out[size_t(p) * used + q];
                }
        }
    for (int p = 0; p < d_paths; ++p)
        d_wave_energy[p] = d_overlap[size_t(p) * width + p];
    eliminate(d_overlap.data(), width, width, d_paths);
}

// In one go where any of them leaves its columns.
void path_fit::put(int first, int count, const fitted_path* paths, bool may_expand)
{
    bool near = may_expand;
    for (int i = 0; i < count; ++i) {
        near = near && reaches(first + i, paths[i]);
        d_path[first + i] = paths[i];
    }
    if (!near) {
        place(first, count);
        return;
    }
    for (int i = 0; i < count; ++i)
        expand(first + i);
}

// One damped step; false, with everything as before, where it does not pay.
bool path_fit::try_step(int first, int count, int parameters, double damping, bool may_expand)
{
    for (int i = 0; i < parameters; ++i) {
        double& diagonal = d_hessian[size_t(i) * parameters + i];
        diagonal = diagonal * (1.0 + damping) + 1e-30;
    }
    Eigen::Map<Eigen::MatrixXd> hessian(d_hessian.data(), parameters, parameters);
    Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> factor(hessian);
    if (factor.info() != Eigen::Success)
        return false;
    Eigen::Map<Eigen::VectorXd> step(d_step.data(), parameters);
    step = Eigen::Map<const Eigen::VectorXd>(d_gradient.data(), parameters);
    factor.solveInPlace(step);

    const double before = d_explained;
    d_moves += count;
    std::copy_n(&d_path[first], count, d_before.begin());
    for (int p = first, at = 0; p < first + count; ++p) {
        const int own = this->parameters(p);
        d_trial[p - first] = moved(d_path[p], &d_step[at], d_limits);
        at += own;
    }
    put(first, count, d_trial.data(), may_expand);
    if (solve() > before)
        return true;
    put(first, count, d_before.data(), may_expand);
    solve();
    return false;
}

void path_fit::residual(float* re, float* im) const
{
    const int length = stride();
    for (int s = 0; s < d_subarrays; ++s) {
        float* out_re = re + size_t(s) * length;
        float* out_im = im + size_t(s) * length;
        std::copy_n(&d_b[size_t(2) * s * length], length, out_re);
        std::copy_n(&d_b[(size_t(2) * s + 1) * length], length, out_im);
        for (int p = 0; p < d_paths; ++p) {
            const auto g = gr_complex(gain(p, s));
            const size_t at = column(s, index(p, 0));
            subtract_scaled(g.real(),
                            g.imag(),
                            &d_seen_re[at],
                            d_gram.is_complex() ? &d_seen_im[at] : nullptr,
                            out_re,
                            out_im,
                            length);
        }
    }
}

void path_fit::synthesize(gr_complex* c) const
{
    const int size = d_gram.size();
    for (int s = 0; s < d_subarrays; ++s) {
        gr_complex* out = c + size_t(s) * size;
        std::fill_n(out, size, gr_complex(0.0f));
        for (int p = 0; p < d_paths; ++p) {
            const auto g = gr_complex(gain(p, s));
            const float* wave = &d_wave[column(s, index(p, 0))];
            for (int i = 0; i < size; ++i)
                out[i] += g * wave[i];
        }
    }
}

double path_fit::pilot_energy(int p) const
{
    double sum = 0.0;
    for (int s = 0; s < d_subarrays; ++s)
        sum += std::norm(gain(p, s)) * energy(p, s);
    return sum;
}

double path_fit::energy_per_pilot_energy(int p) const
{
    double seen = 0.0;
    for (int s = 0; s < d_subarrays; ++s)
        seen += energy(p, s);
    return seen > 0.0 ? double(d_live) * d_atoms.rows() * d_atoms.cols() / seen : 0.0;
}

double path_fit::unseen_energy() const
{
    double sum = 0.0;
    for (int p = 0; p < d_paths; ++p)
        if (d_path[p].coherent)
            sum += continuation_error * std::norm(common_gain(p));
        else
            for (int s = 0; s < d_subarrays; ++s)
                sum += std::norm(gain(p, s)) / d_live;
    return sum * (d_subarrays - d_live) * d_atoms.rows() * d_atoms.cols();
}

double path_fit::unknowns() const
{
    double sum = 0.0;
    for (int p = 0; p < d_paths; ++p)
        sum += 0.5 * real_parameters(p);
    return sum;
}

double path_fit::error_per_noise() const
{
    double sum = 0.0;
    for (int p = 0; p < d_paths; ++p)
        sum += 0.5 * real_parameters(p) * energy_per_pilot_energy(p) *
               (d_path[p].coherent ? double(d_subarrays) / d_live : 1.0);
    return sum;
}

} // namespace estimation
} // namespace thzum
} // namespace gr
