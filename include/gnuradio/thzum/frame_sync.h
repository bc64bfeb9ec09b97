/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_FRAME_SYNC_H
#define INCLUDED_THZUM_FRAME_SYNC_H

#include <gnuradio/block.h>
#include <gnuradio/thzum/api.h>
#include <gnuradio/thzum/frame_synchronizer.h>
#include <cstdint>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Finds frames in the samples of all RF chains and hands their symbols on.
 * \ingroup thzum
 *
 * Inputs: S streams of samples, air_frame_parameters::samples_per_symbol to a symbol. Outputs: S
 * streams of symbols, the noise, pilot and data symbols of a frame side by side as pilot_receiver
 * takes them, air_frame::n_received() a frame; nothing between frames.
 *
 * Detection, timing, frequency and phase: see frame_synchronizer. Tags on the first symbol of a
 * frame, on every output: \p thzum_frame (long, counts from the first frame found, missed ones
 * included), \p thzum_sample (long, the input sample of the frame's first symbol), \p thzum_cfo
 * (double, cycles per symbol), \p thzum_users (long) and \p thzum_beams (s32vector) as they are
 * set, and where users differ in frequency \p thzum_user_cfo (f64vector [K], cycles per symbol
 * against thzum_cfo).
 *
 * Users' own phases are taken out of the pilots. Among the data, where they cannot be, the tag \p
 * thzum_user_phase (f64vector [K]) tells from a symbol on by how many radians each user is turned,
 * and \p thzum_user_reference (c32vector [S][K]) at the first of them what the references among
 * the data have of each user; a mimo_detector uses both.
 *
 * When the blocks in front have finished, frame_synchronizer::tail() samples of silence follow
 * their last one, so that a stream may end with its last frame.
 *
 * Message port \p report: a dictionary per frame with frame, sample (long), cfo, metric, phase_rms
 * (double), user_cfo (f64vector [K]), noise_var (f64vector, of a symbol of each chain as received)
 * and the counters lost and bad_samples. Port \p control takes a dictionary with any of users
 * (long), beams (s32vector) and calibration (c32vector).
 */
class THZUM_API frame_sync : virtual public gr::block
{
public:
    using sptr = std::shared_ptr<frame_sync>;

    /*!
     * \param frame what is sent when
     * \param settings of the synchroniser
     * \param users bit k set when user k sends, for the tag and for users' own offsets; negative:
     * no tag, all do
     * \param beams [S] code book indices of the data beams, for the tag; empty: no tag
     * \param calibration [S] gains of the chains, which are divided out; empty: ones
     * \throws std::invalid_argument naming the argument, what was expected and what came
     */
    static sptr make(air_frame::sptr frame,
                     const synchronizer_settings& settings,
                     int64_t users = -1,
                     const std::vector<int>& beams = {},
                     const std::vector<gr_complex>& calibration = {});

    /*! From the next frame on. */
    virtual void set_users(int64_t users) = 0;
    /*! \throws std::invalid_argument unless there are S or none */
    virtual void set_beams(const std::vector<int>& beams) = 0;
    /*! \throws std::invalid_argument as frame_synchronizer::set_calibration() */
    virtual void set_calibration(const std::vector<gr_complex>& calibration) = 0;

    /*! Frames handed on. */
    virtual uint64_t frames() const = 0;

    /*! Frames cut short or missing in time between others, or unfinished when the stream stopped.
     */
    virtual uint64_t lost_frames() const = 0;

    /*! Samples that were not finite. */
    virtual uint64_t bad_samples() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_FRAME_SYNC_H */
