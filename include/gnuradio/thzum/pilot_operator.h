/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_PILOT_OPERATOR_H
#define INCLUDED_THZUM_PILOT_OPERATOR_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/api.h>
#include <gnuradio/thzum/array_shape.h>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace thzum {

/*! Which noise the pilots carry; the two agree for combiners with orthonormal rows. */
enum class noise_model {
    per_slot, /*!< fresh antenna noise in every slot: white with variance noise_var * ||c||^2 */
    common    /*!< one antenna-noise vector through all slots (the published benchmark):
                   covariance noise_var * C C^H */
};

/*!
 * \brief What the pilot slots of an array of subarrays measure.
 *
 * In slot q subarray s applies the combiner row c[s,q]: y[s,q] = c[s,q] . (h[s] + w[s,q]), without
 * conjugation. y is ordered [subarray][slot], M = S*Q. noise_var is always the antenna noise
 * variance before combining.
 *
 * Estimators work on the orthonormalised pair: z = whiten(y) obeys z = diag(gains) B h + n with
 * B B^H = I and n white of variance noise_var, whatever the combiner and the noise model. It is
 * factored once per subarray at construction. B and B^H are fast Hadamard transforms for hadamard()
 * operators.
 *
 * Allocates at construction only; serves one thread at a time.
 */
class THZUM_API pilot_operator
{
public:
    using sptr = std::shared_ptr<pilot_operator>;

    /*!
     * \brief Operator of any per-subarray combiner.
     * \param combiner [S][Q][rows*cols]
     * \throws std::invalid_argument on wrong sizes, NaN or Inf, or an all-zero row
     */
    static sptr make(const std::vector<gr_complex>& combiner,
                     int n_slots,
                     const array_shape& shape,
                     noise_model model = noise_model::per_slot);

    /*!
     * \brief Semi-orthogonal combiner: \p n_slots rows of a sign-randomised Hadamard matrix per
     * subarray, entries +-1/sqrt(rows*cols), so that A A^H = I.
     * \throws std::invalid_argument unless rows*cols is a power of two and 1 <= n_slots <=
     * rows*cols
     */
    static sptr hadamard(const array_shape& shape, int n_slots, uint64_t seed);

    virtual ~pilot_operator() = default;
    virtual const array_shape& shape() const = 0;
    virtual int n_slots() const = 0;
    virtual noise_model model() const = 0;

    /*! True when the fast Hadamard transform replaces matrices. */
    virtual bool is_fast() const = 0;

    /*! Observations M = S * Q. */
    int n_observations() const { return shape().n_subarrays * n_slots(); }

    /*! Combiner rows [S][Q][rows*cols], as applied, whether heard or not. */
    virtual const std::vector<gr_complex>& combiner() const = 0;

    /*! y = A h, noiseless, for \p batch channels: [batch][N] -> [batch][M]. */
    virtual void forward(const gr_complex* h, gr_complex* y, int batch) = 0;

    /*! h = A^H y. */
    virtual void adjoint(const gr_complex* y, gr_complex* h, int batch) = 0;

    /*! Rows R = min(Q, rows*cols) of the orthonormalised pair per subarray. */
    virtual int rank() const = 0;

    /*! Gains [S][R], non-negative; zero past the numerical rank of a subarray's combiner. */
    virtual const std::vector<float>& gains() const = 0;

    /*! z = whiten(y): [batch][M] -> [batch][S*R]. Where the gain is zero z is noise alone, or zero
     * if noise_reaches() says so. */
    virtual void whiten(const gr_complex* y, gr_complex* z, int batch) = 0;

    /*! b = B h: [batch][N] -> [batch][S*R]. B B^H = I but for rows of zero gain, which may be zero. */
    virtual void project(const gr_complex* h, gr_complex* b, int batch) = 0;

    /*! h = B^H b: [batch][S*R] -> [batch][N]. */
    virtual void backproject(const gr_complex* b, gr_complex* h, int batch) = 0;

    /*! Whether noise reaches an entry of whiten(y), [S][R]; the others are always zero. */
    virtual const std::vector<uint8_t>& noise_reaches() const = 0;

    /*!
     * \brief The same combiner with pilots left out, of a dead RF chain or of slots that were hit.
     *
     * What is left out counts as not observed: forward() gives zeros there, adjoint() and whiten() do not
     * look at it, and estimators work as if those rows had never been measured. Sizes stay as they are; in
     * whiten(y) entries without noise take the place of those missing, with zero gains.
     * \param mask [S][Q]: 0 = left out. Replaces the mask that this operator has.
     * \throws std::invalid_argument on a wrong size, or when nothing is left
     */
    virtual sptr with_mask(const std::vector<uint8_t>& mask) const = 0;

    /*! Which pilots are heard, [S][Q]: 0 or 1. */
    virtual const std::vector<uint8_t>& mask() const = 0;

    /*! An independent operator with scratch memory of its own, for use in another thread; the
     * original may be in use meanwhile. */
    virtual sptr clone() const = 0;

    /*! One line with every setting. */
    virtual std::string repr() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_PILOT_OPERATOR_H */
