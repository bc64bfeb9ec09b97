/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/fit_kernels.h"
#include "estimation/path_fit.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

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
    eliminate_coupled(coupled, reduced);
}

// The gains of the coherent paths, which all subarrays share.
void path_fit::eliminate_coupled(int coupled, reduced_path* reduced) const
{
    const int values = columns_per_path * d_subarrays, width = coupled + values + 1;
    complexd* rows = reduced->coupling.data();
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

} // namespace estimation
} // namespace thzum
} // namespace gr
