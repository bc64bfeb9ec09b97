/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_DETECTOR_BASE_H
#define INCLUDED_THZUM_DETECTION_DETECTOR_BASE_H

#include "detection/soft_demapper.h"
#include <gnuradio/thzum/detector.h>
#include <functional>

namespace gr {
namespace thzum {

/*! Sizes and constellation every detector is made with. */
struct detector_sizes {
    int n_rx;
    int n_tx;
    std::string constellation;
};

/*! One line of the registry. */
struct detector_entry {
    algorithm_info info;
    std::function<detector::sptr(const detector_sizes&, const option_reader&)> make;
};

/*! Option every detector has: how bit log-likelihood ratios are computed. */
option_info llr_option();

/*!
 * \brief What all detectors share: checks, absent users, demapping.
 *
 * A detector turns y into unbiased symbol estimates with error variances; everything after that is
 * here.
 */
class detector_base : public detector
{
public:
    /*! Smallest and largest error variance reported, relative to E|x|^2 = 1: keeps LLRs finite. */
    static constexpr float min_variance = 1e-12f;
    static constexpr float max_variance = 1e12f;

    detector_base(const std::string& name,
                  const detector_sizes& sizes,
                  const option_reader& options);

    std::string name() const override { return d_name; }
    int n_rx() const override { return d_n_rx; }
    int n_tx() const override { return d_n_tx; }
    const std::string& constellation() const override { return d_demapper.map().name; }
    int bits_per_symbol() const override { return d_demapper.map().bits_per_symbol(); }
    void set_channel(const gr_complex* H, float noise_var) override;
    void detect(const gr_complex* y,
                int count,
                int32_t* symbols,
                float* llr,
                gr_complex* x_hat,
                float* variance) override;
    std::string repr() const override;

protected:
    /*! Channel work. \p H has only the columns in active(): [n_rx][n_active], row-major. */
    virtual void prepare(const gr_complex* H, int n_active, float noise_var) = 0;

    /*!
     * \brief Everything about up to \ref piece vectors: by default equalise() and the demapper.
     *
     * Arguments as for detect(), but only \p llr may be null. Absent users are overwritten
     * afterwards.
     */
    virtual void decide(const gr_complex* y,
                        int count,
                        int32_t* symbols,
                        float* llr,
                        gr_complex* x_hat,
                        float* variance);

    /*! Estimates of all users; absent ones are overwritten afterwards.
     * \param y [count][n_rx]
     * \param x_hat [count][n_tx] unbiased
     * \param variance [count][n_tx] within min_variance and max_variance */
    virtual void equalise(const gr_complex* y, int count, gr_complex* x_hat, float* variance) = 0;

    /*! Options of the algorithm for repr(), each with a leading ", ". */
    virtual std::string settings() const { return ""; }

    /*! Users present: column of H each active column came from. */
    const std::vector<int>& active() const { return d_active; }

    /*! Whether LLRs are to be exact. */
    bool is_exact() const { return d_llr_method == "log_map"; }

    static constexpr int piece = 64; // vectors worked on at a time

private:
    /*! Sorts the users into active and absent. \throws std::invalid_argument for NaN or Inf */
    void find_active(const gr_complex* H);
    void
    silence_absent(int count, int32_t* symbols, float* llr, gr_complex* x_hat, float* variance);

    std::string d_name;
    int d_n_rx;
    int d_n_tx;
    std::string d_llr_method;
    soft_demapper d_demapper;
    bool d_has_channel = false;
    std::vector<int> d_active;
    std::vector<int> d_absent;
    std::vector<int32_t> d_any_bits, d_largest_bits; // of the real and imaginary columns of H
    std::vector<gr_complex> d_channel;               // [n_rx][n_active]
    std::vector<gr_complex> d_x_hat;                 // [piece][n_tx]
    std::vector<float> d_variance;                   // [piece][n_tx]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_DETECTOR_BASE_H */
