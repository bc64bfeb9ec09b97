/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/qa_common.h"
#include <gnuradio/thzum/observation_model.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <ostream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

struct model_case {
    const char* combiner;
    const char* dictionary_name;
    array_shape shape;
    int n_slots;
    noise_model model;

    pilot_operator::sptr op() const
    {
        const std::string name = combiner;
        if (name == "hadamard")
            return pilot_operator::hadamard(shape, n_slots, 3);
        const size_t size = size_t(shape.antennas()) * n_slots;
        return pilot_operator::make(name == "signs" ? random_signs(size, 5)
                                                    : random_vector(size, 5),
                                    n_slots,
                                    shape,
                                    model);
    }

    observation_model::sptr make() const
    {
        return observation_model::make(op(),
                                       dictionary::make(dictionary_name, shape.rows, shape.cols));
    }
};

std::ostream& operator<<(std::ostream& out, const model_case& test)
{
    return out << test.op()->repr() << " " << test.dictionary_name;
}

const model_case cases[] = {
    { "hadamard", "identity", { 2, 4, 4 }, 9, noise_model::per_slot },
    { "hadamard", "dft", { 2, 4, 4 }, 9, noise_model::per_slot },
    { "hadamard", "visible_region", { 2, 8, 8 }, 55, noise_model::per_slot }, // 7 * 7 coefficients
    { "hadamard", "visible_region", { 2, 8, 8 }, 20, noise_model::per_slot },
    { "signs", "visible_region", { 2, 8, 9 }, 61, noise_model::per_slot },
    { "signs", "dft", { 3, 3, 5 }, 8, noise_model::common },
    { "complex", "visible_region", { 2, 9, 8 }, 40, noise_model::common },
    { "complex",
      "visible_region",
      { 1, 9, 9 },
      90,
      noise_model::per_slot }, // more slots than elements
    { "complex", "identity", { 2, 3, 3 }, 12, noise_model::per_slot },
};

int singular_size(const observation_model& model)
{
    return model.op()->shape().n_subarrays * model.rank();
}

Eigen::MatrixXcd to_singular_matrix(observation_model& model)
{
    return matrix_of([&](const gr_complex* c, gr_complex* z) { model.to_singular(c, z, 1); },
                     model.coefficients(),
                     singular_size(model));
}

} // namespace

BOOST_DATA_TEST_CASE(observations_are_diagonal_in_the_singular_domain, cases, test)
{
    const auto model = test.make();
    const auto& op = *model->op();
    const int batch = 11; // more than one chunk
    const auto c = random_vector(size_t(batch) * model->coefficients(), 13);
    std::vector<gr_complex> h(size_t(batch) * op.shape().antennas());
    std::vector<gr_complex> y(size_t(batch) * op.n_observations());
    std::vector<gr_complex> z(size_t(batch) * singular_size(*model)), expected(z.size());
    std::vector<float> excess(batch);
    model->dict()->synthesize(c.data(), h.data(), batch * op.shape().n_subarrays);
    model->op()->forward(h.data(), y.data(), batch);
    model->observe(y.data(), z.data(), excess.data(), batch);
    model->to_singular(c.data(), expected.data(), batch);
    const auto& sigma = model->singular_values();
    for (size_t i = 0; i < z.size(); i++)
        BOOST_CHECK_SMALL(std::abs(z[i] - sigma[i % sigma.size()] * expected[i]), 2e-5f);
    // A channel in the dictionary leaves nothing where only noise is expected.
    for (const float energy : excess)
        BOOST_CHECK_SMALL(energy, 1e-8f);
}

BOOST_DATA_TEST_CASE(right_singular_vectors_are_orthonormal, cases, test)
{
    const auto model = test.make();
    const auto v_adjoint = to_singular_matrix(*model);
    BOOST_CHECK_LT(distance(v_adjoint * v_adjoint.adjoint(), identity(v_adjoint.rows())),
                   2 * tolerance);
    const auto v =
        matrix_of([&](const gr_complex* z, gr_complex* c) { model->from_singular(z, c, 1); },
                  singular_size(*model),
                  model->coefficients());
    BOOST_CHECK_LT(distance(v, v_adjoint.adjoint()), 2 * tolerance);
}

BOOST_DATA_TEST_CASE(observation_and_excess_together_keep_the_whitened_energy, cases, test)
{
    const auto model = test.make();
    auto& op = *model->op();
    const auto y = random_vector(op.n_observations(), 17);
    std::vector<gr_complex> whitened(size_t(op.shape().n_subarrays) * op.rank());
    std::vector<gr_complex> z(singular_size(*model));
    float excess;
    op.whiten(y.data(), whitened.data(), 1);
    model->observe(y.data(), z.data(), &excess, 1);
    const double whole = as_double(whitened).squaredNorm();
    BOOST_CHECK_CLOSE(as_double(z).squaredNorm() + excess, whole, 1e-3);
    BOOST_CHECK_EQUAL(model->excess_dimensions(),
                      op.shape().n_subarrays * (op.rank() - model->rank()));
    std::vector<gr_complex> without(z.size());
    model->observe(y.data(), without.data(), nullptr, 1);
    BOOST_CHECK(without == z);
}

BOOST_DATA_TEST_CASE(rank_deficient_combiners_leave_noise_where_there_is_some,
                     boost::unit_test::data::make({ "identity", "visible_region" }),
                     name)
{
    const array_shape shape{ 1, 8, 8 };
    auto combiner = random_vector(20 * 64, 9);
    std::copy_n(combiner.begin(), 64, combiner.begin() + 64); // slot 1 repeats slot 0
    const auto dict = dictionary::make(name, 8, 8);
    // Fresh noise makes the difference of the two slots an observation of noise alone; noise common
    // to both cancels in it.
    const auto fresh = observation_model::make(pilot_operator::make(combiner, 20, shape), dict);
    const auto common = observation_model::make(
        pilot_operator::make(combiner, 20, shape, noise_model::common), dict);
    BOOST_CHECK_EQUAL(fresh->singular_values()[19], 0.0f);
    BOOST_CHECK_EQUAL(common->singular_values()[19], 0.0f);
    BOOST_CHECK_EQUAL(fresh->excess_dimensions(), 1);
    BOOST_CHECK_EQUAL(common->excess_dimensions(), 0);
    std::vector<gr_complex> y(20, 0), z(20);
    y[0] = 1, y[1] = -1;
    float norm = 0, excess;
    for (int i = 0; i < 64; i++)
        norm += std::norm(combiner[i]);
    fresh->observe(y.data(), z.data(), &excess, 1);
    BOOST_CHECK_CLOSE(excess, 2 / norm, 1e-2);
}

BOOST_AUTO_TEST_CASE(dictionaries_of_another_size_are_refused)
{
    const auto op = pilot_operator::hadamard({ 1, 4, 4 }, 8, 1);
    BOOST_CHECK_THROW(observation_model::make(op, dictionary::make("dft", 4, 8)),
                      std::invalid_argument);
    BOOST_CHECK_THROW(observation_model::make(op, nullptr), std::invalid_argument);
    BOOST_CHECK_THROW(observation_model::make(nullptr, dictionary::make("dft", 4, 4)),
                      std::invalid_argument);
}

} // namespace thzum
} // namespace gr
