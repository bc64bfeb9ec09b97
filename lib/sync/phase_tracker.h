/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_PHASE_TRACKER_H
#define INCLUDED_THZUM_SYNC_PHASE_TRACKER_H

#include <gnuradio/thzum/air_frame.h>
#include <memory>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Frequency offset and phase over a frame, from what comes again in it.
 *
 * Reference j of group g gives X[s,j,p] = a[s,g,p] exp(j theta(t_j)) + noise with the same unknown
 * a[s,g] each time. The frequency is the maximum-likelihood one of theta = 2 pi f t,
 *
 *     f = argmax sum_{s,g,p} | sum_j X[s,j,p] exp(-2j pi f t_j) |^2 / noise_var_s.
 *
 * What is left is taken as a random walk plus one unknown phase per group and smoothed: its
 * step variance comes from the differences of neighbouring references beyond what noise explains,
 * and is zero while that is not significant. Then only the frequency is corrected.
 */
class THZUM_API phase_tracker
{
public:
    /*!
     * \param is_per_chain whether every chain has an oscillator of its own; the frequency is
     * common all the same
     */
    phase_tracker(air_frame::sptr frame, int n_chains, bool is_per_chain);
    ~phase_tracker();

    /*!
     * \param references [S][J][P] symbols of all references
     * \param noise_var [S] of a symbol; a chain with 0 is left out
     */
    void run(const gr_complex* references, const double* noise_var);

    /*! Frequency offset found, in cycles per symbol. */
    double frequency() const { return d_frequency; }

    /*! Largest frequency that is looked for, either way. */
    double max_frequency() const { return d_window; }

    /*! Phase in radians at symbol \p symbol of the frame, the frequency's part included. */
    double phase(int chain, double symbol) const;

    /*! Root mean square of the phase beyond the frequency's, over the references, in radians. */
    double phase_rms() const;

private:
    class smoother;

    double likelihood(double frequency);
    void find_frequency();
    void track(int first_chain, int last_chain);
    void measure(int first_chain, int last_chain, const double* phases);
    double walk_variance() const;

    air_frame::sptr d_frame;
    int d_n_chains;
    int d_n_references;
    int d_n_chips;
    int d_n_groups;
    bool d_is_per_chain;
    double d_window = 0.0;
    double d_step = 0.0;
    double d_frequency = 0.0;
    std::vector<double> d_times;      // [J] centres in symbols
    std::vector<int> d_groups;        // [J]
    std::vector<int> d_group_sizes;   // [groups]
    std::vector<gr_complex> d_values; // [S][J][P] over the noise's standard deviation
    std::vector<gr_complex> d_turns;  // [J]
    std::vector<gr_complex> d_means;  // [groups][S][P]
    std::vector<double> d_measured;   // [J] phase against the group's mean
    std::vector<double> d_variance;   // [J] of that
    std::vector<double> d_phases;     // [S][J]
    std::unique_ptr<smoother> d_smoother;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_PHASE_TRACKER_H */
