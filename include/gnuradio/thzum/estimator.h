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
#include <limits>

namespace gr {
namespace thzum {

/*! What an estimator says of one estimate. */
struct estimate_report {
    static constexpr int history_length = 64;

    int iterations;  /*!< iterations run; 1 for one-shot estimators */
    float residual;  /*!< relative change ||x+ - x|| / ||x|| of the last iteration; 0 one-shot */
    float noise_var; /*!< antenna noise variance used, given or estimated */
    float predicted_nmse_db; /*!< the estimator's own prediction of its NMSE in dB; NaN if it has
                                none */
    float contraction;       /*!< ratio of the last two residuals; NaN if fewer than two */
    /*! residual of each iteration; the first \ref iterations entries are valid */
    std::array<float, history_length> residual_history;
    int steps;       /*!< costly steps: denoiser calls for iterations, moves of one path for
                        newtonized_omp */
    int steps_saved; /*!< fewer than the last cold start of the same stream took; 0 without tracking
                      */
    /*! How many complex unknowns of noise the estimate follows, the trace of its response to the
     * orthonormalised pilots; NaN if not known */
    float divergence = std::numeric_limits<float>::quiet_NaN();
    /*! Part of the predicted NMSE, linear, that speaks from what the estimate leaves of the pilots:
     * well above the rest where the estimator's model of the channel breaks */
    float unexplained_nmse = 0.0f;
};

/*! A propagation path that an estimator resolved. */
struct path_estimate {
    float ux, uy; /*!< direction cosines along x and y, at the middle of the array */
    float
        distance; /*!< of its source in wavelengths: infinite for a plane wave, NaN if not known */
    gr_complex gain; /*!< amplitude per antenna: at the middle of the array for a coherent path,
                        that of the first subarray otherwise */
    float power;     /*!< mean |gain|^2 over the subarrays */
    bool coherent;   /*!< one gain and a spherical wavefront over the whole array */
};

/*!
 * \brief Channel estimator: y and noise variance to h_hat.
 *
 * Results do not depend on a gain in front of the receiver: input is scaled to unit channel power
 * and the estimate scaled back. Allocates at construction; serves one thread at a time.
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
     * \param noise_var [batch] antenna noise variance > 0, or nullptr to estimate it from the
     * pilots
     * \param h_hat [batch][N]
     * \param report [batch]
     *
     * With so few pilots that noise and channel cannot be told apart, the estimated noise variance
     * is the power of the pilots. The first call without noise variance allocates what estimating
     * it takes.
     *
     * An item of all-zero y gives a zero estimate. Any batch is accepted; larger ones than the
     * option "max_batch" are run in pieces.
     */
    virtual void estimate(const gr_complex* y,
                          const float* noise_var,
                          int batch,
                          gr_complex* h_hat,
                          estimate_report* report) = 0;

    /*! Floats that track() keeps of a stream from frame to frame; 0 for estimators without warm
     * start. */
    virtual int state_size() const { return 0; }

    /*!
     * \brief As estimate(), each item starting from what an earlier frame of its stream came to.
     * \param state [batch], for each item the state_size() floats of its stream, all zero for a
     * cold start, which are left ready for the next frame; nullptr for an item that is not tracked.
     * No two items may share one.
     *
     * A stream whose channel has changed beyond tracking starts over within the frame.
     * tracking_estimator keeps the states.
     */
    virtual void track(const gr_complex* y,
                       const float* noise_var,
                       int batch,
                       gr_complex* h_hat,
                       estimate_report* report,
                       float* const* state)
    {
        (void)state;
        estimate(y, noise_var, batch, h_hat, report);
    }

    /*!
     * \brief Paths of an item of the last estimate() call, strongest first.
     * \param item index in that call, which had at most "max_batch" items
     * \param paths room for \p most of them
     * \returns their number; 0 for estimators that do not resolve paths
     */
    virtual int paths(int item, path_estimate* paths, int most) const
    {
        (void)item, (void)paths, (void)most;
        return 0;
    }

    /*! Every option in force: those given, and the defaults of the others. A denoiser's options are
     * only there when given. */
    virtual const option_map& options() const = 0;

    /*! One line with every setting. */
    virtual std::string repr() const = 0;
};

/*! Estimators by name. */
THZUM_API const std::vector<algorithm_info>& estimators();

/*!
 * \brief An estimator by name.
 * \throws std::invalid_argument for unknown names or options, or options that do not fit the
 * operator
 */
THZUM_API estimator::sptr
make_estimator(const std::string& name, pilot_operator::sptr op, const option_map& options = {});

/*! One iteration of a state evolution. */
struct state_evolution_step {
    double tau2;           /*!< error variance per coefficient at the denoiser's input */
    double error_variance; /*!< error variance per coefficient at its output */
    double nmse_db;        /*!< NMSE of the estimate in dB */
};

/*!
 * \brief What OAMP is predicted to reach, iteration by iteration (Ma and Ping, IEEE Access 2017).
 *
 * The linear step enters by its error variance, the denoiser by its measured error on sample
 * channels in white noise of that variance; no pilots are simulated. Every channel, and every
 * subarray where the estimator keeps them apart, has a state of its own. Holds for large arrays
 * with combiners that are right-unitarily invariant.
 *
 * \param name "oamp" or "fpn_oamp"
 * \param options as for make_estimator()
 * \param channels [count][N] at unit power per antenna
 * \param noise_var antenna noise variance at that scale, > 0
 * \param seed of the noise in front of the denoiser
 * \throws std::invalid_argument as make_estimator() does
 */
THZUM_API std::vector<state_evolution_step> state_evolution(const std::string& name,
                                                            const pilot_operator::sptr& op,
                                                            const option_map& options,
                                                            const gr_complex* channels,
                                                            int count,
                                                            double noise_var,
                                                            int iterations,
                                                            uint64_t seed = 0);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATOR_H */
