/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/qa_common.h"
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <ostream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

/*! One operator to test; names are those of the kinds that make() below knows. */
struct operator_case {
    const char* kind;
    array_shape shape;
    int n_slots;
    noise_model model;

    pilot_operator::sptr make() const
    {
        const std::string name = kind;
        if (name == "hadamard")
            return pilot_operator::hadamard(shape, n_slots, 3);
        const size_t size = size_t(shape.antennas()) * n_slots;
        const auto combiner = name == "signs" ? random_signs(size, 5) : random_vector(size, 5);
        return pilot_operator::make(combiner, n_slots, shape, model);
    }
};

std::ostream& operator<<(std::ostream& out, const operator_case& test)
{
    return out << test.make()->repr();
}

const operator_case cases[] = {
    { "hadamard", { 2, 4, 8 }, 11, noise_model::per_slot },
    { "hadamard", { 1, 1, 1 }, 1, noise_model::per_slot },
    { "hadamard", { 3, 1, 2 }, 2, noise_model::per_slot },
    { "hadamard", { 1, 16, 16 }, 128, noise_model::per_slot },
    { "signs", { 3, 3, 5 }, 7, noise_model::per_slot },
    { "signs", { 2, 4, 4 }, 9, noise_model::common },
    { "complex", { 2, 3, 5 }, 9, noise_model::per_slot },
    { "complex", { 2, 5, 3 }, 4, noise_model::common },
    { "complex", { 1, 2, 2 }, 13, noise_model::per_slot }, // more slots than elements
    { "complex", { 2, 2, 3 }, 13, noise_model::common },
};

} // namespace

BOOST_DATA_TEST_CASE(forward_applies_the_combiner, cases, test)
{
    const auto op = test.make();
    const auto forward =
        matrix_of([&](const gr_complex* h, gr_complex* y) { op->forward(h, y, 1); },
                  op->shape().antennas(),
                  op->n_observations());
    BOOST_CHECK_LT(distance(forward, combiner_matrix(*op)), tolerance);
}

BOOST_DATA_TEST_CASE(adjoint_is_the_conjugate_transpose, cases, test)
{
    const auto op = test.make();
    const auto adjoint =
        matrix_of([&](const gr_complex* y, gr_complex* h) { op->adjoint(y, h, 1); },
                  op->n_observations(),
                  op->shape().antennas());
    BOOST_CHECK_LT(distance(adjoint, combiner_matrix(*op).adjoint()), tolerance);
}

BOOST_DATA_TEST_CASE(projection_has_orthonormal_rows, cases, test)
{
    const auto op = test.make();
    const auto b = projection_matrix(*op);
    BOOST_CHECK_LT(distance(b * b.adjoint(), identity(b.rows())), tolerance);
    const auto back =
        matrix_of([&](const gr_complex* z, gr_complex* h) { op->backproject(z, h, 1); },
                  static_cast<int>(b.rows()),
                  op->shape().antennas());
    BOOST_CHECK_LT(distance(back, b.adjoint()), tolerance);
}

BOOST_DATA_TEST_CASE(whitened_observations_are_gains_times_projection, cases, test)
{
    const auto op = test.make();
    const Eigen::VectorXd gains =
        Eigen::Map<const Eigen::VectorXf>(op->gains().data(), op->gains().size()).cast<double>();
    BOOST_CHECK_LT(distance(whitening_matrix(*op) * combiner_matrix(*op),
                            gains.asDiagonal() * projection_matrix(*op)),
                   5 * tolerance);
}

BOOST_DATA_TEST_CASE(whitened_noise_is_white_of_the_antenna_variance, cases, test)
{
    const auto op = test.make();
    const auto combiner = combiner_matrix(*op);
    Eigen::MatrixXcd covariance = combiner * combiner.adjoint();
    if (op->model() == noise_model::per_slot)
        covariance = Eigen::MatrixXcd(covariance.diagonal().asDiagonal());
    const auto whitening = whitening_matrix(*op);
    BOOST_CHECK_LT(
        distance(whitening * covariance * whitening.adjoint(), identity(whitening.rows())), 1e-5);
}

BOOST_DATA_TEST_CASE(batches_give_what_single_vectors_give, cases, test)
{
    const auto op = test.make();
    const int batch = 11; // more than one chunk of the kernels
    const int n = op->shape().antennas(), m = op->n_observations();
    const auto h = random_vector(size_t(batch) * n, 7);
    std::vector<gr_complex> y(size_t(batch) * m), single(m);
    op->forward(h.data(), y.data(), batch);
    for (int i = 0; i < batch; i++) {
        op->forward(&h[size_t(i) * n], single.data(), 1);
        BOOST_CHECK_EQUAL_COLLECTIONS(
            single.begin(), single.end(), y.begin() + i * m, y.begin() + (i + 1) * m);
    }
}

BOOST_AUTO_TEST_CASE(hadamard_rows_are_orthonormal_and_distinct_per_subarray_and_seed)
{
    const array_shape shape{ 2, 4, 4 };
    const auto op = pilot_operator::hadamard(shape, 16, 1);
    const auto a = combiner_matrix(*op);
    BOOST_CHECK_LT(distance(a * a.adjoint(), identity(32)), tolerance);
    for (const auto& value : op->combiner())
        BOOST_CHECK_EQUAL(std::abs(value), 0.25f);
    const auto half = op->combiner().begin() + op->combiner().size() / 2;
    BOOST_CHECK(!std::equal(op->combiner().begin(), half, half));
    BOOST_CHECK(op->combiner() == pilot_operator::hadamard(shape, 16, 1)->combiner());
    BOOST_CHECK(op->combiner() != pilot_operator::hadamard(shape, 16, 2)->combiner());
}

BOOST_AUTO_TEST_CASE(hadamard_draw_is_the_same_on_every_platform)
{
    // Signs of the four rows; a change breaks recordings made with the same seed.
    const auto op = pilot_operator::hadamard({ 1, 2, 4 }, 4, 2026);
    std::string signs;
    for (const auto& value : op->combiner())
        signs += value.real() > 0 ? '+' : '-';
    BOOST_CHECK_EQUAL(signs, "-+-++-+---++--++----++++-++--++-");
}

BOOST_AUTO_TEST_CASE(gains_are_zero_past_the_rank_of_the_combiner)
{
    auto combiner = random_vector(3 * 6, 9);
    std::copy_n(combiner.begin(), 6, combiner.begin() + 12); // slot 2 repeats slot 0
    for (const auto model : { noise_model::per_slot, noise_model::common }) {
        const auto op = pilot_operator::make(combiner, 3, { 1, 2, 3 }, model);
        BOOST_CHECK_EQUAL(op->rank(), 3);
        BOOST_CHECK_GT(op->gains()[1], 0.1f);
        BOOST_CHECK_EQUAL(op->gains()[2], 0.0f);
        const auto b = projection_matrix(*op);
        BOOST_CHECK_LT(distance(b * b.adjoint(), identity(3)), tolerance);
    }
}

BOOST_AUTO_TEST_CASE(scale_of_a_combiner_row_changes_nothing_after_whitening)
{
    auto combiner = random_vector(2 * 6, 9);
    const auto plain = pilot_operator::make(combiner, 2, { 1, 2, 3 });
    for (int i = 0; i < 6; i++)
        combiner[i] *= 1000.0f;
    const auto scaled = pilot_operator::make(combiner, 2, { 1, 2, 3 });
    for (int i = 0; i < 2; i++)
        BOOST_CHECK_SMALL(plain->gains()[i] - scaled->gains()[i], 1e-5f);
}

BOOST_AUTO_TEST_CASE(bad_arguments_are_refused)
{
    const array_shape shape{ 1, 2, 3 };
    const float nan = std::numeric_limits<float>::quiet_NaN();
    auto combiner = random_vector(2 * 6, 1);
    BOOST_CHECK_THROW(pilot_operator::make(combiner, 3, shape), std::invalid_argument);
    BOOST_CHECK_THROW(pilot_operator::make(combiner, 0, shape), std::invalid_argument);
    BOOST_CHECK_THROW(pilot_operator::make(combiner, 2, { 0, 2, 3 }), std::invalid_argument);
    combiner[3] = { 0, nan };
    BOOST_CHECK_THROW(pilot_operator::make(combiner, 2, shape), std::invalid_argument);
    std::fill_n(combiner.begin(), 6, gr_complex(0));
    BOOST_CHECK_THROW(pilot_operator::make(combiner, 2, shape), std::invalid_argument);
    BOOST_CHECK_THROW(pilot_operator::hadamard(shape, 2, 1), std::invalid_argument);
    BOOST_CHECK_THROW(pilot_operator::hadamard({ 1, 2, 2 }, 5, 1), std::invalid_argument);
    BOOST_CHECK_THROW(pilot_operator::hadamard({ 1, 2, 2 }, 0, 1), std::invalid_argument);
}

} // namespace thzum
} // namespace gr
