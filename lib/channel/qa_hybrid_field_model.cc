/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/thzum/hybrid_field_model.h>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <stdexcept>

using gr::thzum::hybrid_field_model;
using gr::thzum::hybrid_field_parameters;
using gr::thzum::hybrid_field_path;

namespace {

// Three subarrays of 5 x 18 elements in a row, so that no dimension fits a vector register.
hybrid_field_parameters small_array()
{
    hybrid_field_parameters p;
    p.shape = { 3, 5, 18 };
    p.origins = { 0.0, 0.0, 0.06, 0.0, 0.12, 0.01 };
    p.spacing = 0.25;
    p.carrier_frequency = 300e9;
    p.wavelength = 1e-3;
    p.rayleigh_distance = 15.0;
    p.n_paths = 4;
    p.los_distance = 30.0;
    p.scatterer_min = 10.0;
    p.scatterer_max = 25.0;
    p.delay_spread = 0.1;
    p.refractive_index = { 2.24, -0.025 };
    p.surface_roughness = 88e-6;
    return p;
}

// Element by element in double precision, spherical waves exact at every element.
std::vector<std::complex<double>> oracle(const hybrid_field_parameters& p,
                                         const std::vector<hybrid_field_path>& paths)
{
    std::vector<std::complex<double>> h;
    double power = 0.0;
    for (int s = 0; s < p.shape.n_subarrays; s++)
        for (int r = 0; r < p.shape.rows; r++)
            for (int c = 0; c < p.shape.cols; c++) {
                const double x = p.origins[2 * s] + c * p.spacing * p.wavelength;
                const double y = p.origins[2 * s + 1] + r * p.spacing * p.wavelength;
                std::complex<double> sum = 0.0;
                for (const auto& path : paths) {
                    const double ux = std::sin(path.elevation) * std::cos(path.azimuth);
                    const double uy = std::sin(path.elevation) * std::sin(path.azimuth);
                    const double dx = path.distance * ux - x, dy = path.distance * uy - y;
                    const double dz = path.distance * std::cos(path.elevation);
                    const double advance =
                        path.near ? -std::sqrt(dx * dx + dy * dy + dz * dz) : ux * x + uy * y;
                    const double cycles = advance / p.wavelength - p.carrier_frequency * path.delay;
                    sum +=
                        path.amplitude * std::polar(1.0, 2 * M_PI * (cycles - std::floor(cycles)));
                }
                h.push_back(sum);
                power += std::norm(sum);
            }
    for (auto& value : h)
        value *= std::sqrt(h.size() / power);
    return h;
}

} // namespace

BOOST_AUTO_TEST_CASE(response_equals_the_sum_over_elements)
{
    const auto parameters = small_array();
    const auto model = hybrid_field_model::make(parameters);
    std::mt19937_64 generator(4);
    std::vector<hybrid_field_path> paths(4);
    std::vector<gr_complex> h(parameters.shape.antennas());
    for (int trial = 0; trial < 50; trial++) {
        model->draw_paths(generator, paths.data(), 1);
        model->response(paths.data(), h.data(), 1);
        const auto expected = oracle(parameters, paths);
        // Curvature within a subarray, pi (D/2)^2 / (lambda distance) with D = 4.4 mm at 10 m,
        // is 1.5e-3 rad.
        for (size_t i = 0; i < h.size(); i++)
            BOOST_TEST(std::abs(std::complex<double>(h[i]) - expected[i]) < 1e-2);
    }
}

BOOST_AUTO_TEST_CASE(far_paths_are_exact)
{
    auto parameters = small_array();
    parameters.rayleigh_distance = 0.0;
    const auto model = hybrid_field_model::make(parameters);
    std::mt19937_64 generator(5);
    std::vector<hybrid_field_path> paths(4);
    std::vector<gr_complex> h(parameters.shape.antennas());
    for (int trial = 0; trial < 50; trial++) {
        model->draw_paths(generator, paths.data(), 1);
        model->response(paths.data(), h.data(), 1);
        const auto expected = oracle(parameters, paths);
        for (size_t i = 0; i < h.size(); i++)
            BOOST_TEST(std::abs(std::complex<double>(h[i]) - expected[i]) < 1e-5);
    }
}

BOOST_AUTO_TEST_CASE(draws_follow_the_generator_alone)
{
    const auto model = hybrid_field_model::make(small_array());
    std::mt19937_64 one(9), two(9);
    std::vector<hybrid_field_path> together(40), apart(40);
    model->draw_paths(one, together.data(), 10);
    for (int i = 0; i < 10; i++)
        model->draw_paths(two, &apart[4 * i], 1);
    for (int i = 0; i < 40; i++) {
        BOOST_TEST(together[i].delay == apart[i].delay);
        BOOST_TEST(together[i].azimuth == apart[i].azimuth);
        const bool line_of_sight = i % 4 == 0;
        BOOST_TEST((together[i].amplitude == 1.0) == line_of_sight);
        BOOST_TEST((together[i].distance == 30.0) == line_of_sight);
        BOOST_TEST(together[i].near == (together[i].distance < 15.0));
    }
    // The first output of the generator is fixed by the standard; so is the delay made from it.
    std::mt19937_64 reference(9);
    reference.discard(5);
    const double second = double(reference() >> 11) / 9007199254740992.0;
    BOOST_TEST(std::abs(together[1].delay - 1e-7 * (1 + 0.1 * second)) < 1e-20);
}

BOOST_AUTO_TEST_CASE(a_channel_without_power_is_zero)
{
    const auto parameters = small_array();
    const auto model = hybrid_field_model::make(parameters);
    const std::vector<hybrid_field_path> paths(4, { 0.0, 1e-7, 20.0, 0.1, 0.2, false });
    std::vector<gr_complex> h(parameters.shape.antennas(), 1.0f);
    model->response(paths.data(), h.data(), 1);
    for (const auto& value : h)
        BOOST_TEST(value == gr_complex(0));
}

BOOST_AUTO_TEST_CASE(errors_name_the_parameter)
{
    const auto refused = [](const std::string& name, auto change) {
        auto parameters = small_array();
        change(parameters);
        BOOST_CHECK_EXCEPTION(
            hybrid_field_model::make(parameters), std::invalid_argument, [&](const auto& error) {
                return std::string(error.what()).find(name) != std::string::npos;
            });
    };
    refused("rows", [](auto& p) { p.shape.rows = 0; });
    refused("n_paths", [](auto& p) { p.n_paths = 0; });
    refused("origins", [](auto& p) { p.origins.pop_back(); });
    refused("origins", [](auto& p) { p.origins[3] = std::nan(""); });
    refused("spacing", [](auto& p) { p.spacing = -0.2; });
    refused("wavelength", [](auto& p) { p.wavelength = 0; });
    refused("scatterer_min", [](auto& p) { p.scatterer_min = 26; });
    refused("delay_spread", [](auto& p) { p.delay_spread = -0.1; });
    refused("refractive_index", [](auto& p) { p.refractive_index = 0; });
    refused("surface_roughness", [](auto& p) { p.surface_roughness = std::nan(""); });
}
