/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_CHANNEL_ESTIMATOR_H
#define INCLUDED_THZUM_CHANNEL_ESTIMATOR_H

#include <gnuradio/sync_block.h>
#include <gnuradio/thzum/estimator.h>

namespace gr {
namespace thzum {

/*!
 * \brief Channel estimator block: one vector of pilots in, one channel estimate out.
 * \ingroup thzum
 *
 * In: pilots y, gr_complex vectors of op->n_observations(). Out: h_hat, gr_complex vectors of
 * op->shape().antennas().
 *
 * The noise variance of an item is \p noise_var if that is positive, else the item's tag
 * thzum_noise_var, else estimated from the pilots themselves. As many items as are waiting, up to
 * \p batch, go through the algorithm in one call.
 *
 * Tags out, on each estimate: thzum_iterations (long), thzum_residual, thzum_noise_var and
 * thzum_predicted_nmse_db (double); incoming tags stay on their item. An item that cannot be
 * estimated (NaN or Inf, all zero, an unusable noise variance, an algorithm that diverged) becomes
 * zeros with the tag thzum_skipped (symbol: nan, zero, noise_var, no_noise_var or diverged) and is
 * counted; the items around it are untouched.
 *
 * Message out, port `report`: a dictionary per item: frame and user (if tagged), iterations,
 * residual, noise_var, predicted_nmse_db, latency_us (duration of the call that estimated the
 * item), algorithm; with tracked users also steps and steps_saved, see estimate_report; or skipped (the
 * reason).
 *
 * The channels of users 0 to \p tracked_users - 1, told by the tag thzum_user, are tracked from frame to
 * frame: see tracking_estimator. A change of the algorithm forgets them; a skipped item does not.
 *
 * Message out, port `paths`: for algorithms that resolve paths, a dictionary per estimate: frame and
 * user (if tagged), and by path, strongest first, ux, uy (direction cosines), distance (wavelengths;
 * infinite for a plane wave, NaN if not known) and power (uniform f32 vectors), gain (c32 vector).
 *
 * Message in, port `control`: a dictionary with any of algorithm (symbol), options (dictionary),
 * noise_var (number, 0 = from tags) and mask (u8vector [subarray][slot], 0 = a pilot that is not to be
 * used, as of a dead RF chain; nil = use all), or one such (key . value) pair. A malformed one is logged and
 * dropped.
 */
class THZUM_API channel_estimator : virtual public gr::sync_block
{
public:
    using sptr = std::shared_ptr<channel_estimator>;

    /*!
     * \param op pilot operator; the block works on a copy of its own
     * \param algorithm one of estimators()
     * \param options of the algorithm, as estimators() lists them
     * \param noise_var antenna noise variance; 0 = from the tag thzum_noise_var or the pilots
     * \param batch largest number of items of one call, 1 to 4096
     * \param array_options what algorithms may want to know of the array, "spacing" and
     * "subarray_centres"; each algorithm, also a later one, gets those that it takes and that its own
     * options do not give
     * \param tracked_users users whose estimates start from their last ones, 0 to 4096
     * \throws std::invalid_argument for unknown names or options, a negative or non-finite
     * noise_var, a batch or tracked_users out of range
     */
    static sptr make(pilot_operator::sptr op,
                     const std::string& algorithm = "fpn_oamp",
                     const option_map& options = {},
                     double noise_var = 0.0,
                     int batch = 8,
                     const option_map& array_options = {},
                     int tracked_users = 0);

    /*!
     * \brief Change the algorithm while running.
     *
     * The new one is built in the calling thread while the old one goes on; they change places
     * between two batches. When building throws, the old one stays. \throws std::invalid_argument
     * for unknown names or options
     */
    virtual void set_algorithm(const std::string& name, const option_map& options = {}) = 0;

    /*! \param noise_var antenna noise variance; 0 = from the tag or the pilots
     * \throws std::invalid_argument when negative or not finite */
    virtual void set_noise_var(double noise_var) = 0;

    /*!
     * \brief Leave pilots out while running, as pilot_operator::with_mask() does.
     *
     * Built and put in place as set_algorithm() does; items keep their size, and what they hold at the
     * pilots left out does not matter as long as it is finite.
     * \param mask [S][Q], 0 = left out; empty = use all
     * \throws std::invalid_argument on a wrong size, or when nothing is left
     */
    virtual void set_mask(const std::vector<uint8_t>& mask) = 0;

    /*! Which pilots are used, [S][Q]: 0 or 1. */
    virtual std::vector<uint8_t> mask() const = 0;

    /*! Name of the present algorithm. */
    virtual std::string algorithm() const = 0;

    /*! Settings of the present algorithm in one line. */
    virtual std::string settings() const = 0;

    virtual double noise_var() const = 0;

    /*! Items estimated so far. */
    virtual uint64_t estimates() const = 0;

    /*! Items skipped so far. */
    virtual uint64_t skipped() const = 0;

    /*! Largest number of items that one call of the algorithm has had. */
    virtual int largest_batch() const = 0;

    /*! Users whose channels are tracked. */
    virtual int tracked_users() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_CHANNEL_ESTIMATOR_H */
