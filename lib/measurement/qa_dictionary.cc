/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/qa_common.h"
#include <gnuradio/thzum/dictionary.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <ostream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

struct dictionary_case {
    const char* name;
    int rows;
    int cols;
};

std::ostream& operator<<(std::ostream& out, const dictionary_case& test)
{
    return out << test.name << " " << test.rows << "x" << test.cols;
}

const dictionary_case cases[] = {
    { "identity", 3, 4 },
    { "dft", 1, 1 },
    { "dft", 5, 3 },
    { "dft", 8, 16 },
    { "visible_region", 16, 16 },
    { "visible_region", 12, 7 },
    { "visible_region", 1, 9 },
};

Eigen::MatrixXcd synthesis_matrix(dictionary& dict)
{
    return matrix_of([&](const gr_complex* c, gr_complex* h) { dict.synthesize(c, h, 1); },
                     dict.coefficients(),
                     dict.rows() * dict.cols());
}

} // namespace

BOOST_DATA_TEST_CASE(atoms_are_orthonormal, cases, test)
{
    const auto dict = dictionary::make(test.name, test.rows, test.cols);
    const auto d = synthesis_matrix(*dict);
    BOOST_CHECK_LT(distance(d.adjoint() * d, identity(dict->coefficients())), tolerance);
}

BOOST_DATA_TEST_CASE(analysis_is_the_adjoint_of_synthesis, cases, test)
{
    const auto dict = dictionary::make(test.name, test.rows, test.cols);
    const auto analysis =
        matrix_of([&](const gr_complex* h, gr_complex* c) { dict->analyze(h, c, 1); },
                  test.rows * test.cols,
                  dict->coefficients());
    BOOST_CHECK_LT(distance(analysis, synthesis_matrix(*dict).adjoint()), tolerance);
}

BOOST_AUTO_TEST_CASE(dft_coefficient_is_the_inner_product_with_a_plane_wave)
{
    const auto dict = dictionary::make("dft", 4, 8);
    const auto d = synthesis_matrix(*dict);
    for (int row = 0; row < 4; row++) {
        for (int col = 0; col < 8; col++) {
            // bin (1, 3)
            const double phase = -2 * M_PI * (1 * row / 4.0 + 3 * col / 8.0);
            BOOST_CHECK_SMALL(
                std::abs(d(row * 8 + col, 1 * 8 + 3) - std::polar(1 / std::sqrt(32.0), phase)),
                tolerance);
        }
    }
}

BOOST_AUTO_TEST_CASE(slepian_sequences_have_their_published_values)
{
    // 8 elements, half bandwidth 0.25 cycles per element, as scipy.signal.windows.dpss(8, 2, 4).
    const double expected[4][4] = {
        { 0.049866986583, 0.190472076479, 0.395302057841, 0.552240848541 },
        { 0.172630187918, 0.419463375946, 0.493848732461, 0.224416407392 },
        { 0.382038215716, 0.489736143168, 0.143357831444, -0.306029155426 },
        { 0.567237960296, 0.218927783519, -0.281599440123, -0.225861633140 },
    };
    const visible_region::axis line{ 8, 4, 0.25, 6, 0.26 };
    const visible_region::axis point{ 1, 1, 0.25, 1, 0.26 };
    const auto d = synthesis_matrix(*visible_region::make(line, point));
    for (int k = 0; k < 4; k++) {
        const std::complex<double> phase = k % 2 ? std::complex<double>(0, 1) : 1.0;
        for (int i = 0; i < 4; i++) {
            BOOST_CHECK_SMALL(std::abs(d(i, k) - phase * expected[k][i]), tolerance);
            BOOST_CHECK_SMALL(std::abs(d(7 - i, k) - (k % 2 ? -phase : phase) * expected[k][i]),
                              tolerance);
        }
    }
}

BOOST_AUTO_TEST_CASE(slepian_sequences_are_eigenvectors_of_the_sinc_kernel)
{
    const int size = 16;
    const double half_bandwidth = 0.205;
    const auto region = visible_region::make({ size, 10, half_bandwidth, 12, 0.215 },
                                             { 1, 1, half_bandwidth, 1, 0.215 });
    Eigen::MatrixXcd kernel(size, size);
    for (int i = 0; i < size; i++)
        for (int j = 0; j < size; j++)
            kernel(i, j) = i == j
                               ? 2 * half_bandwidth
                               : std::sin(2 * M_PI * half_bandwidth * (i - j)) / (M_PI * (i - j));
    const auto d = synthesis_matrix(*region);
    const Eigen::MatrixXcd spectrum = d.adjoint() * kernel * d;
    BOOST_CHECK_LT(distance(spectrum, spectrum.diagonal().asDiagonal()), tolerance);
    BOOST_CHECK_GT(spectrum(0, 0).real(), 0.999999);
    for (int k = 1; k < 10; k++)
        BOOST_CHECK_LT(spectrum(k, k).real(), spectrum(k - 1, k - 1).real() + tolerance);
}

BOOST_AUTO_TEST_CASE(visible_plane_waves_survive_the_projection)
{
    const auto dict = dictionary::make("visible_region", 16, 16, 0.2);
    BOOST_CHECK_EQUAL(dict->coefficients(), 100);
    std::vector<gr_complex> h(256), c(100), back(256);
    for (double u = -0.2; u <= 0.2; u += 0.02) {
        for (int i = 0; i < 256; i++)
            h[i] = std::polar(1.0, 2 * M_PI * (u * (i / 16) + 0.13 * (i % 16)));
        dict->analyze(h.data(), c.data(), 1);
        dict->synthesize(c.data(), back.data(), 1);
        const double loss = (as_double(h) - as_double(back)).squaredNorm() / 256;
        BOOST_CHECK_LT(loss, 1e-3);
    }
}

BOOST_AUTO_TEST_CASE(image_is_the_zoom_transform_of_the_response)
{
    const auto settings = visible_region::axis::for_spacing(16, 0.2);
    const auto region = visible_region::make(settings, settings);
    const auto c = random_vector(200, 3);
    std::vector<gr_complex> h(512), back(200);
    std::vector<float> image(2 * 2 * 144);
    region->synthesize(c.data(), h.data(), 2);
    region->image(c.data(), image.data(), 2);
    const auto bin = [](int g) { return 0.215 * (2.0 * g / 11 - 1); };
    for (const int g : { 0, 5, 11 }) {
        for (const int f : { 0, 4, 10 }) {
            std::complex<double> sum = 0;
            for (int i = 0; i < 256; i++)
                sum += std::complex<double>(h[256 + i]) *
                       std::polar(1.0 / 16,
                                  -2 * M_PI * (bin(g) * (i / 16 - 7.5) + bin(f) * (i % 16 - 7.5)));
            const float* parts = &image[288 + g * 12 + f];
            BOOST_CHECK_SMALL(std::abs(sum - std::complex<double>(parts[0], parts[144])), 1e-5);
        }
    }
    region->from_image(image.data(), back.data(), 2);
    BOOST_CHECK_LT(distance(as_double(back), as_double(c)), 1e-4);
}

BOOST_AUTO_TEST_CASE(axis_settings_follow_the_spacing)
{
    const auto dense = visible_region::axis::for_spacing(16, 0.2);
    BOOST_CHECK_EQUAL(dense.n_slepian, 10);
    BOOST_CHECK_EQUAL(dense.grid, 12);
    BOOST_CHECK_CLOSE(dense.half_bandwidth, 0.205, 1e-9);
    BOOST_CHECK_CLOSE(dense.span, 0.215, 1e-9);
    const auto half_wavelength = visible_region::axis::for_spacing(16, 0.5);
    BOOST_CHECK_EQUAL(half_wavelength.n_slepian, 16);
    BOOST_CHECK_EQUAL(half_wavelength.half_bandwidth, 0.5);
    BOOST_CHECK_EQUAL(dictionary::make("visible_region", 4, 4, 0.5)->coefficients(), 16);
}

BOOST_AUTO_TEST_CASE(bad_arguments_are_refused)
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const visible_region::axis good{ 8, 4, 0.25, 6, 0.26 };
    BOOST_CHECK_THROW(dictionary::make("wavelet", 4, 4), std::invalid_argument);
    BOOST_CHECK_THROW(dictionary::make("dft", 0, 4), std::invalid_argument);
    BOOST_CHECK_THROW(dictionary::make("visible_region", 4, 4, 0), std::invalid_argument);
    BOOST_CHECK_THROW(dictionary::make("visible_region", 4, 4, nan), std::invalid_argument);
    BOOST_CHECK_THROW(visible_region::make(good, { 8, 9, 0.25, 10, 0.26 }), std::invalid_argument);
    BOOST_CHECK_THROW(visible_region::make({ 8, 4, 0.6, 6, 0.26 }, good), std::invalid_argument);
    BOOST_CHECK_THROW(visible_region::make({ 8, 4, 0.25, 3, 0.26 }, good), std::invalid_argument);
    BOOST_CHECK_THROW(visible_region::make({ 8, 4, 0.25, 6, nan }, good), std::invalid_argument);
}

} // namespace thzum
} // namespace gr
