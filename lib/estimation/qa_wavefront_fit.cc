/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation/wavefront_fit.h"
#include "measurement/qa_common.h"
#include <Eigen/QR>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <memory>

namespace thzum = gr::thzum;
using namespace gr::thzum::estimation;
using complexd = std::complex<double>;

namespace {

constexpr int rows = 16, cols = 16, subarrays = 4, slots = 64, max_paths = 4;
constexpr double spacing = 0.2, max_curvature = 1.0 / 4000.0;
const array_layout layout = { spacing, { -30, 30, -30, 30 }, { -30, -30, 30, 30 } };
const fitted_path near_path = { true, 0.31, -0.24, 1.0 / 9000.0 };
const fitted_path far_path = { true, 0.05, 0.42, 1.0 / 30000.0 };
const fitted_path free_path = { false, -0.5, 0.1, 0.0 };

/*! Pilots of three waves, a coherent one, one with free gains and another coherent one, in noise.
 */
struct fixture {
    explicit fixture(bool is_complex, double noise_amplitude = 0.05)
        : region(
              thzum::visible_region::make(thzum::visible_region::axis::for_spacing(rows, spacing),
                                          thzum::visible_region::axis::for_spacing(cols, spacing))),
          model(thzum::observation_model::make(operators(is_complex), region)),
          z(model->singular_values().size())
    {
        std::vector<gr_complex> seen(z.size());
        for (const auto& path : { near_path, free_path, far_path })
            add_wave(path, seen);
        z = seen;
        const auto noise = thzum::random_vector(z.size(), 7);
        for (size_t i = 0; i < z.size(); ++i)
            z[i] += static_cast<float>(noise_amplitude) * noise[i];
    }

    static thzum::pilot_operator::sptr operators(bool is_complex)
    {
        const size_t size = size_t(subarrays) * slots * rows * cols;
        auto combiner = is_complex ? thzum::random_vector(size, 3) : thzum::random_signs(size, 3);
        for (auto& value : combiner)
            value /= 16.0f;
        return thzum::pilot_operator::make(combiner, slots, { subarrays, rows, cols });
    }

    std::unique_ptr<path_fit> make_fit() const
    {
        auto fit = std::make_unique<path_fit>(model, region, layout, max_paths);
        fit->limit_curvature(max_curvature);
        return fit;
    }

    /*! With \p first and the other two paths at their best gains, slopes kept. */
    std::unique_ptr<path_fit> make_fit_of(const fitted_path& first) const
    {
        auto fit = make_fit();
        fit->load(z.data());
        fit->require_slopes();
        fit->set(0, first);
        fit->set(1, free_path);
        fit->set(2, far_path);
        fit->solve();
        return fit;
    }

    /*! The singular domain of a unit wave, one column per gain. */
    Eigen::MatrixXcd columns(const fitted_path& path) const
    {
        wave_atoms atoms(region);
        const int k = region->coefficients();
        Eigen::MatrixXcd all = Eigen::MatrixXcd::Zero(z.size(), path.coherent ? 1 : subarrays);
        std::vector<float> wave(k), slope_u(k), slope_v(k);
        for (int s = 0; s < subarrays; ++s) {
            const local_wave local = wave_at(layout, path, s);
            atoms.evaluate(local.u, local.v, wave.data(), slope_u.data(), slope_v.data());
            std::vector<gr_complex> c(model->coefficients()), seen(z.size());
            const gr_complex turn(std::polar(1.0, local.phase));
            for (int i = 0; i < k; ++i)
                c[size_t(s) * k + i] = turn * wave[i];
            model->to_singular(c.data(), seen.data(), 1);
            for (size_t i = 0; i < z.size(); ++i)
                seen[i] *= model->singular_values()[i];
            all.col(path.coherent ? 0 : s) += thzum::as_double(seen);
        }
        return all;
    }

    /*! Energy of z that the paths explain with their best gains, by a QR decomposition. */
    double explained(const std::vector<fitted_path>& paths) const
    {
        Eigen::MatrixXcd all(z.size(), 0);
        for (const auto& path : paths) {
            const Eigen::MatrixXcd own = columns(path);
            const auto before = all.cols();
            all.conservativeResize(Eigen::NoChange, before + own.cols());
            all.rightCols(own.cols()) = own;
        }
        const Eigen::VectorXcd pilots = thzum::as_double(z);
        const Eigen::VectorXcd gains = all.colPivHouseholderQr().solve(pilots);
        return (all * gains).squaredNorm();
    }

    void add_wave(const fitted_path& path, std::vector<gr_complex>& seen)
    {
        const Eigen::MatrixXcd own = columns(path);
        for (int i = 0; i < own.cols(); ++i)
            for (size_t at = 0; at < z.size(); ++at)
                seen[at] += gr_complex(own(at, i) * std::polar(1.0, 0.8 * i + path.ux));
    }

    thzum::visible_region::sptr region;
    thzum::observation_model::sptr model;
    std::vector<gr_complex> z;
};

fitted_path moved_by(const fitted_path& path, double ux, double uy, double curvature)
{
    return { path.coherent, path.ux + ux, path.uy + uy, path.curvature + curvature };
}

reduced_path reduced_first(path_fit& fit)
{
    reduced_path reduced(subarrays, max_paths);
    fit.reduce(0, &reduced);
    return reduced;
}

// Sums of products of some hundred floats, against double precision.
constexpr double rounding = 1e-5;

} // namespace

// The inner products with slopes kept from the start, added later, and of waves that moved.
BOOST_AUTO_TEST_CASE(explained_energy_is_that_of_dense_least_squares)
{
    for (const bool is_complex : { false, true }) {
        const fixture with(is_complex);
        for (const bool slopes : { false, true }) {
            auto fit = with.make_fit();
            fit->load(with.z.data());
            if (slopes)
                fit->require_slopes();
            const std::vector<fitted_path> start = { moved_by(near_path, 0.01, 0, 0),
                                                     moved_by(free_path, 0, 0.02, 0),
                                                     far_path };
            for (int p = 0; p < 3; ++p)
                fit->set(p, start[p]);
            const double expected = with.explained(start);
            BOOST_CHECK_SMALL(fit->solve() / expected - 1.0, rounding);
            fit->require_slopes();
            fit->climb(0, 3, 3, 0.0);
            fit->recentre();
            const double after = fit->solve();
            BOOST_CHECK_GT(after, expected);
            BOOST_CHECK_SMALL(after / with.explained({ fit->path(0), fit->path(1), fit->path(2) }) -
                                  1.0,
                              rounding);
        }
    }
}

// Angles t over the elements of a diagonal move of d = 0.02 beam widths along both axes: t^2 has
// the mean (2 pi d)^2 / 6 and t^4 / 4, the energy that the expansion leaves out, (2 pi d)^4 / 60.
// The energy explained then errs by twice the product of the roots at most; without slopes it would
// err by the former.
BOOST_AUTO_TEST_CASE(small_moves_explain_what_exact_placing_does)
{
    const fixture with(false);
    auto fit = with.make_fit();
    fit->load(with.z.data());
    fit->require_slopes();
    fit->set(0, near_path);
    fit->set(1, free_path);
    fit->solve();
    const double shift = 0.02 / (cols * spacing), radians = 2.0 * M_PI * 0.02;
    const double bound = 2.0 * std::pow(radians, 3) / std::sqrt(6.0 * 60.0);
    const auto near = moved_by(near_path, shift, -shift, 0.0);
    const auto free = moved_by(free_path, -shift, 0.0, 0.0);
    fit->move(0, near);
    fit->move(1, free);
    BOOST_CHECK_SMALL(fit->solve() / with.explained({ near, free }) - 1.0, bound);
    const auto away = moved_by(near_path, 0.2 / (cols * spacing), 0.0, 0.0);
    BOOST_CHECK(!fit->reaches(0, away));
    fit->move(0, away);
    BOOST_CHECK_SMALL(fit->solve() / with.explained({ away, free }) - 1.0, bound);
}

BOOST_AUTO_TEST_CASE(reduced_energy_is_that_of_the_whole_fit)
{
    for (const bool is_complex : { false, true }) {
        const fixture with(is_complex);
        auto fit = with.make_fit_of(near_path);
        const reduced_path reduced = reduced_first(*fit);
        BOOST_CHECK_EQUAL(reduced.coupled, 1);
        BOOST_CHECK_SMALL(reduced.explained / with.explained({ free_path, far_path }) - 1.0,
                          rounding);
        wavefront_fit wavefront(layout, fit->limits(), max_paths);
        double gradient[3];
        BOOST_CHECK_SMALL(wavefront.energy(reduced, near_path, gradient) / fit->solve() - 1.0,
                          1e-12);
        const auto near = moved_by(near_path, 0.004, 0.003, 3e-5);
        fit->move(0, near);
        BOOST_CHECK_SMALL(wavefront.energy(reduced, near, gradient) / fit->solve() - 1.0, 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(gradient_is_that_of_finite_differences)
{
    const fixture with(true);
    auto fit = with.make_fit_of(near_path);
    const reduced_path reduced = reduced_first(*fit);
    wavefront_fit wavefront(layout, fit->limits(), max_paths);
    const auto at = moved_by(near_path, 0.002, -0.003, 2e-5);
    double gradient[3], unused[3];
    wavefront.energy(reduced, at, gradient);
    const double step[3] = { 1e-6, 1e-6, 1e-9 };
    for (int k = 0; k < 3; ++k) {
        double along[3] = {};
        along[k] = step[k];
        const double ahead =
            wavefront.energy(reduced, moved_by(at, along[0], along[1], along[2]), unused);
        const double behind =
            wavefront.energy(reduced, moved_by(at, -along[0], -along[1], -along[2]), unused);
        BOOST_CHECK_CLOSE(gradient[k], (ahead - behind) / (2.0 * step[k]), 1e-3);
    }
}

// The expansion's optimum, from a tenth of an ambiguity away, is within a tenth of a standard
// deviation of the exact fit's: it loses less than a hundredth of the noise of one parameter.
BOOST_AUTO_TEST_CASE(refined_wavefront_is_next_to_the_exact_optimum)
{
    constexpr double amplitude = 0.05, noise_var = 2.0 * amplitude * amplitude;
    const fixture with(false, amplitude);
    auto fit = with.make_fit_of({ false, near_path.ux + 0.005, near_path.uy - 0.004, 0.0 });
    const reduced_path reduced = reduced_first(*fit);
    wavefront_fit wavefront(layout, fit->limits(), max_paths);
    auto path = moved_by(near_path, 0.0015, 0.001, 1e-5);
    wavefront.refine(reduced, &path, 10, 0.0);
    fit->set(0, path);
    const double approximate = fit->solve();
    fit->refine(0, 1, 20, 0.0);
    const double exact = fit->refine(0, 1, 20, 0.0);
    BOOST_CHECK_GT(exact, 0.0);
    const double float_rounding = std::numeric_limits<float>::epsilon() * exact;
    BOOST_CHECK_LT(exact - approximate, 0.01 * 0.5 * noise_var + float_rounding);
    BOOST_CHECK_SMALL(fit->path(0).curvature / near_path.curvature - 1.0, 0.2);
}
