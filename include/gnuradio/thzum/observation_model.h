/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_OBSERVATION_MODEL_H
#define INCLUDED_THZUM_OBSERVATION_MODEL_H

#include <gnuradio/thzum/dictionary.h>
#include <gnuradio/thzum/pilot_operator.h>

namespace gr {
namespace thzum {

/*!
 * \brief Pilot operator times dictionary, diagonalised per subarray.
 *
 * With h_s = D c_s the pilots measure G_s = diag(gains_s) B_s D = U_s diag(sigma_s) V_s^H.
 * observe() turns y into z = diag(sigma) V^H c + n, n white of variance noise_var; everything a
 * linear module does is then diagonal, and an iteration costs V and V^H alone. Where G_s has a fast
 * form (Hadamard combiner with "identity" or "dft"), U = I and V^H = B D are fast transforms;
 * otherwise V is a dense k x r matrix per subarray, real where combiner and dictionary allow.
 *
 * Coefficients are ordered [subarray][k]; singular-domain vectors [subarray][r].
 */
class THZUM_API observation_model
{
public:
    using sptr = std::shared_ptr<observation_model>;

    /*! \throws std::invalid_argument when the dictionary is for another subarray size */
    static sptr make(pilot_operator::sptr op, dictionary::sptr dict);

    virtual ~observation_model() = default;
    virtual const pilot_operator::sptr& op() const = 0;
    virtual const dictionary::sptr& dict() const = 0;

    /*! Coefficients of all subarrays, S * k. */
    virtual int coefficients() const = 0;

    /*! r = min(R, k): singular values per subarray. */
    virtual int rank() const = 0;

    /*! Singular values [S][r], zero where a subarray's operator is rank deficient. */
    virtual const std::vector<float>& singular_values() const = 0;

    /*! Observations that carry noise only: S * (R - r) and the rank-deficient ones that noise
     * reaches. */
    virtual int excess_dimensions() const = 0;

    /*!
     * \brief Load observations: [batch][M] -> z [batch][S*r].
     * \param excess_energy [batch] or nullptr: energy of the noise-only observations; divided by
     *        excess_dimensions() it estimates noise_var from the pilots alone
     */
    virtual void observe(const gr_complex* y, gr_complex* z, float* excess_energy, int batch) = 0;

    /*! V^H c: [batch][S*k] -> [batch][S*r]. */
    virtual void to_singular(const gr_complex* c, gr_complex* z, int batch) = 0;

    /*! V z: [batch][S*r] -> [batch][S*k]. */
    virtual void from_singular(const gr_complex* z, gr_complex* c, int batch) = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_OBSERVATION_MODEL_H */
