/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_OAMP_ITERATION_H
#define INCLUDED_THZUM_ESTIMATION_OAMP_ITERATION_H

#include "estimation/anderson.h"
#include "estimation/estimator_base.h"
#include "estimation/linear_step.h"

namespace gr {
namespace thzum {
namespace estimation {

/*! Where the iteration starts. */
enum class start_point { zero, least_squares, random };

/*! What OAMP and the fixed-point iteration differ in. */
struct iteration_settings {
    linear_kind linear;
    bool divergence_free; /*!< x+ = (D(r) - alpha r) / (1 - alpha) instead of D(r) */
    int max_iterations;
    double tolerance; /*!< on ||D+ - D|| / ||D+|| of an item; 0 runs every iteration */
    start_point start;
    uint64_t seed; /*!< of the random start */
    int anderson;  /*!< steps that Anderson acceleration looks back, 0 for plain ones; not with
                      divergence_free */
};

/*! Denoisers treat every coefficient alike, networks see the subarrays together. */
inline bool is_separable(const std::string& denoiser_name) { return denoiser_name != "onnx"; }

/*! The denoiser of "oamp", made for one subarray where they are kept apart, or of "fpn_oamp". */
denoiser::sptr make_oamp_denoiser(const algorithm_info& info,
                                  const pilot_operator::sptr& op,
                                  const option_map& options);

/*!
 * \brief Alternation of linear_step and a denoiser D until the estimate stands still.
 *
 * A denoiser made for one subarray gets every subarray as an item of its own, with the variance that
 * the linear step has there. The estimate is always the output of D, never the divergence-free message. An item whose relative
 * change falls to the tolerance leaves the batch, so that the denoiser runs on those that still
 * move.
 */
class oamp_iteration : public estimator_base
{
public:
    oamp_iteration(const algorithm_info& info,
                   const option_map& given,
                   const pilot_operator::sptr& op,
                   denoiser::sptr denoise,
                   const iteration_settings& settings);

    int state_size() const override { return head_size + 2 * coefficients(); }

protected:
    void run(gr_complex* z,
             float* noise_var,
             int batch,
             gr_complex* c,
             estimate_report* report) override;

private:
    /*! A state: number of frames so far, iterations of the last cold start, then the coefficients of
     * the last estimate. */
    static constexpr int head_size = 2;

    void set_start(const gr_complex* z, int batch);
    /*! Starts of the items whose stream has an estimate already; returns whether there was one. */
    bool set_warm_starts(const gr_complex* z, int batch);
    void keep_state(float* state, const gr_complex* estimate, estimate_report& report) const;
    /*! One pass over the active items; returns nothing, leaves D(r, tau2) in d_next. */
    void iterate(const gr_complex* z, const float* noise_var, bool from_zero);
    /*! Residual, history, prediction of active item \p a. */
    void update_report(int a, estimate_report& report) const;
    /*! Items of the denoiser per channel. */
    int groups() const { return d_step.groups(); }
    /*! Nothing is known of subarrays without pilots, whatever D says of them. */
    void clear_unseen();
    /*! The next message into the linear step. */
    void update_message(int a);
    /*! Move active item \p from to place \p to. */
    void move(int from, int to, gr_complex* z, float* noise_var);

    denoiser::sptr d_denoiser;
    const iteration_settings d_settings;
    linear_step d_step;
    estimation::anderson d_anderson;
    std::vector<uint8_t> d_is_seen; // [S]
    double d_unseen;                // share of the array
    int d_active;
    std::vector<int> d_item; // batch item of each active one
    std::vector<gr_complex> d_start, d_scratch;
    std::vector<gr_complex> d_x;        // message into the linear step
    std::vector<gr_complex> d_estimate; // D of the iteration before, or the point accelerated from it
    std::vector<gr_complex> d_r, d_next;
    std::vector<float> d_tau2, d_error_variance, d_divergence;
};

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_OAMP_ITERATION_H */
