/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATOR_H
#define INCLUDED_THZUM_ESTIMATOR_H

#include <gnuradio/thzum/options.h>
#include <gnuradio/thzum/pilot_operator.h>
#include <array>

namespace gr {
namespace thzum {

/*! What an estimator says of one estimate. */
struct estimate_report {
    static constexpr int history_length = 64;

    int iterations;          /*!< iterations run; 1 for one-shot estimators */
    float residual;          /*!< relative change ||x+ - x|| / ||x|| of the last iteration; 0 one-shot */
    float noise_var;         /*!< antenna noise variance used, given or estimated */
    float predicted_nmse_db; /*!< the estimator's own prediction of its NMSE in dB; NaN if it has none */
    float contraction;       /*!< ratio of the last two residuals; NaN if fewer than two */
    /*! residual of each iteration; the first \ref iterations entries are valid */
    std::array<float, history_length> residual_history;
};

/*!
 * \brief Channel estimator: y and noise variance to h_hat.
 *
 * Results do not depend on a gain in front of the receiver: input is scaled to unit channel power and
 * the estimate scaled back. Allocates at construction; serves one thread at a time.
 */
class THZUM_API estimator
{
public:
    using sptr = std::shared_ptr<estimator>;

    virtual ~estimator() = default;
    virtual std::string name() const = 0;
    virtual const pilot_operator::sptr& op() const = 0;

    /*!
     * \brief Estimate \p batch channels.
     * \param y [batch][M], finite
     * \param noise_var [batch] antenna noise variance > 0, or nullptr to estimate it from the pilots
     * \param h_hat [batch][N]
     * \param report [batch]
     * \throws std::invalid_argument when the noise variance is to be estimated and this operator leaves
     *         no noise-only observations
     *
     * An item of all-zero y gives a zero estimate. Any batch is accepted; larger ones than the option
     * "max_batch" are run in pieces.
     */
    virtual void estimate(const gr_complex* y,
                          const float* noise_var,
                          int batch,
                          gr_complex* h_hat,
                          estimate_report* report) = 0;

    /*! One line with every setting. */
    virtual std::string repr() const = 0;
};

/*! Estimators by name. */
THZUM_API const std::vector<algorithm_info>& estimators();

/*!
 * \brief An estimator by name.
 * \throws std::invalid_argument for unknown names or options, or options that do not fit the operator
 */
THZUM_API estimator::sptr make_estimator(const std::string& name,
                                         pilot_operator::sptr op,
                                         const option_map& options = {});

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATOR_H */
