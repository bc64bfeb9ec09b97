/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_ESTIMATOR_BASE_H
#define INCLUDED_THZUM_ESTIMATION_ESTIMATOR_BASE_H

#include "estimation/algorithm.h"
#include "estimation/observation_scaler.h"

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * \brief What the estimators share: batches in pieces, scaling to unit channel power and back, zero
 * items, and the dictionary's synthesis. An estimator adds run(), from z to coefficients.
 */
class estimator_base : public estimator
{
public:
    estimator_base(const algorithm_info& info,
                   const option_map& given,
                   observation_model::sptr model);

    std::string name() const override { return d_name; }
    const pilot_operator::sptr& op() const override { return model()->op(); }
    const option_map& options() const override { return d_options; }
    std::string repr() const override { return describe_settings(d_name, d_options); }

    void estimate(const gr_complex* y,
                  const float* noise_var,
                  int batch,
                  gr_complex* h_hat,
                  estimate_report* report) override;

    void track(const gr_complex* y,
               const float* noise_var,
               int batch,
               gr_complex* h_hat,
               estimate_report* report,
               float* const* state) override;

protected:
    const observation_model::sptr& model() const { return d_scaler.model(); }
    int max_batch() const { return d_scaler.max_batch(); }
    int coefficients() const { return model()->coefficients(); }
    int observations() const { return static_cast<int>(model()->singular_values().size()); }

    /*! Where run() got item \p item of the last batch, or -1 if it was all zero; and the factor that takes
     * its scale back to the receiver's. */
    int loaded_index(int item) const;
    float amplitude(int loaded) const { return d_scaler.amplitude(loaded); }

    /*! State of the stream that item \p loaded of run() belongs to; nullptr if it is not tracked. */
    float* state(int loaded) const
    {
        return d_states ? d_states[d_scaler.item(loaded)] : nullptr;
    }

    /*! 10 log10 of an error energy per coefficient at unit channel power, over that of the channel;
     * NaN when \p error_variance is not positive. */
    float nmse_db(double error_variance) const;

    /*!
     * \brief Estimate the coefficients of channels of unit power.
     * \param z [batch][S*r] of the observation model; run() may use it as scratch
     * \param noise_var [batch] at the same scale; run() may use it as scratch
     * \param c [batch][S*k]
     * \param report [batch], filled in as for a one-shot estimator without prediction; steps, where run()
     *        leaves them 0, become the iterations
     */
    virtual void
    run(gr_complex* z, float* noise_var, int batch, gr_complex* c, estimate_report* report) = 0;

private:
    void estimate_piece(const gr_complex* y,
                        const float* noise_var,
                        int batch,
                        gr_complex* h_hat,
                        estimate_report* report);

    std::string d_name;
    option_map d_options;
    observation_scaler d_scaler;
    std::vector<gr_complex> d_c, d_h;
    std::vector<estimate_report> d_report;
    int d_loaded = 0;
    float* const* d_states = nullptr; // of the piece at work
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_ESTIMATOR_BASE_H */
