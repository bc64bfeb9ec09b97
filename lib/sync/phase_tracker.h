/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_PHASE_TRACKER_H
#define INCLUDED_THZUM_SYNC_PHASE_TRACKER_H

#include "sync/periodogram.h"
#include "sync/phase_smoother.h"
#include "sync/reference_layout.h"
#include "sync/user_offsets.h"
#include <cstdint>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Frequency offsets and phases over a frame, from what comes again in it.
 *
 * Despread, reference j of group g gives X[s,j,k] = a[s,g,k] exp(j (theta(t_j) + theta_k(t_j))) +
 * noise for user k, with the same unknown a[s,g,k] each time. The common frequency is the
 * maximum-likelihood one of theta = 2 pi f t,
 *
 *     f = argmax sum_{s,g,k} | sum_j X[s,j,k] exp(-2j pi f t_j) |^2 / noise_var_s.
 *
 * Users get a frequency of their own when they differ (see user_offsets). What is left is taken as
 * a random walk plus one unknown phase per group and smoothed, first for all users together, then
 * for each: its step variance comes from the differences of neighbouring references beyond what
 * noise explains, and is zero while that is not significant.
 */
class THZUM_API phase_tracker
{
public:
    /*!
     * \param is_per_chain whether every chain has an oscillator of its own; the frequencies are
     * common all the same
     * \param max_user_frequency largest frequency of a user against the common one, in cycles per
     * symbol; 0: users have no phase of their own
     */
    phase_tracker(air_frame::sptr frame,
                  int n_chains,
                  bool is_per_chain,
                  double max_user_frequency = 0.0);

    /*!
     * \param references [S][J][P] symbols of all references; those that are zero throughout are
     * lost
     * \param noise_var [S] of a symbol; a chain with 0 is left out
     * \param users bit k is set when user k sends; the others are left out. Users above bit 62
     * always send.
     */
    void run(const gr_complex* references, const double* noise_var, int64_t users = -1);

    /*! Frequency offset found, in cycles per symbol. */
    double frequency() const { return d_frequency; }

    /*! Largest frequency that is looked for, either way. */
    double max_frequency() const { return d_window; }

    /*! Largest frequency of a user against the common one that is looked for, either way. */
    double max_user_frequency() const { return d_offsets.largest(); }

    /*! Phase in radians at symbol \p symbol of the frame, the frequency's part included. */
    double phase(int chain, double symbol) const;

    /*! Root mean square of the phase beyond the frequency's, over the references, in radians. */
    double phase_rms() const;

    /*! Whether a user turns against the others. */
    bool has_user_phases() const { return d_has_user_phases; }

    /*! Frequencies of the users against frequency() [K], in cycles per symbol. */
    const std::vector<double>& user_frequency() const { return d_user_frequency; }

    /*!
     * \brief Phase of a user in radians beyond phase(), at symbol \p symbol.
     *
     * His frequency's part is zero at symbol \p origin.
     */
    double user_phase(int user, double symbol, double origin) const;

private:
    /*! Streams whose phase is one. */
    struct streams {
        int first_chain, last_chain, first_user, last_user;
    };

    bool is_present(int64_t users, int user) const;
    void load(const gr_complex* references, const double* noise_var, int64_t users);
    void despread(const gr_complex* chips, float scale, int64_t users, gr_complex* values) const;
    void find_frequency();
    void turn(const std::vector<double>& user_frequency);
    void track_chains();
    void correct_chains();
    void follow_users();
    void track(const std::vector<gr_complex>& values, streams of, double* phases);
    void measure(const std::vector<gr_complex>& values, streams of, const double* phases);
    double walk_variance(double sigmas) const;
    double between(const double* phases, double symbol) const;

    reference_layout d_layout;
    int d_n_chains;
    int d_n_references;
    int d_n_users;
    bool d_is_per_chain;
    double d_window;
    periodogram d_spectrum;
    user_offsets d_offsets;
    double d_frequency = 0.0;
    bool d_has_user_phases = false;
    int d_n_present = 0;
    std::vector<gr_complex> d_sequences;  // [K][P] conjugate, over the root of P
    std::vector<int> d_group_sizes;       // [groups] without those lost
    std::vector<bool> d_is_lost;          // [J]
    std::vector<gr_complex> d_values;     // [S][J][K] over the noise's standard deviation
    std::vector<gr_complex> d_corrected;  // [S][J][K] without the chains' phases
    std::vector<float> d_sum;             // [places]
    std::vector<gr_complex> d_means;      // [groups][S][K]
    std::vector<double> d_measured;       // [J] phase against the group's mean
    std::vector<double> d_variance;       // [J] of that
    std::vector<double> d_phases;         // [S][J]
    std::vector<double> d_user_frequency; // [K]
    std::vector<double> d_user_phases;    // [K][J]
    phase_smoother d_smoother;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_PHASE_TRACKER_H */
