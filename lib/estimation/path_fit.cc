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
#include <algorithm>
#include <cmath>

namespace gr {
namespace thzum {
namespace estimation {

namespace {

constexpr double expansion_limit = 0.1; // of a subarray's beam width

} // namespace

path_fit::path_fit(observation_model::sptr model,
                   const visible_region::sptr& region,
                   array_layout layout,
                   int max_paths)
    : d_layout(std::move(layout)),
      d_gram(model),
      d_atoms(region),
      d_subarrays(d_gram.subarrays()),
      d_room(round_up(max_paths, row_multiple)),
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
    for (int s = 0; s < d_subarrays; ++s)
        if (beam_widths(placed(p, s), wave_at(d_layout, path, s)) > expansion_limit)
            return false;
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

double path_fit::beam_widths(const placed_wave& columns, const local_wave& wave) const
{
    return std::max(std::abs(wave.u - columns.u) * d_atoms.cols(),
                    std::abs(wave.v - columns.v) * d_atoms.rows());
}

double path_fit::expansion(int p) const
{
    double most = 0.0;
    for (int s = 0; s < d_subarrays; ++s)
        most = std::max(most, beam_widths(placed(p, s), placed(p, s).wave));
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
    const int length = stride(), used = round_up(d_paths, row_multiple);
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
    const int length = stride(), used = round_up(d_paths, row_multiple);
    for (int kind = 0; kind < kinds(); ++kind) {
        const int rows = index(0, kind);
        multiply_columns(
            &d_wave[column(s, rows)], used, length, &d_b[size_t(2) * s * length], 2, d_out.data());
        for (int j = 0; j < d_paths; ++j)
            d_match[size_t(s) * d_columns + rows + j] = { d_out[j], d_out[used + j] };
    }
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
