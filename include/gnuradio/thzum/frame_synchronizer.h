/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_FRAME_SYNCHRONIZER_H
#define INCLUDED_THZUM_FRAME_SYNCHRONIZER_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/air_frame.h>
#include <gnuradio/thzum/api.h>
#include <cstdint>
#include <memory>
#include <vector>

namespace gr {
namespace thzum {

struct synchronizer_settings {
    int n_chains;                /*!< S */
    double max_frequency = 0.22; /*!< largest frequency offset in cycles per symbol, 0 .. 0.45 */
    double false_alarm = 1e-3;   /*!< of a place in the first stage, above 0, below 0.5 */
    bool is_per_chain = false;   /*!< an oscillator for each chain rather than one for all */
    double clock_offset = 0.0;   /*!< by how much the receiver's clock is fast, +-1e-3 */
    /*! largest frequency of a user against the common one, in cycles per symbol, 0 .. 0.05, and no
     * more than the spacing of the references allows; 0: users have no phase of their own */
    double max_user_frequency = 1e-3;
};

/*! What is known of a frame that was received. */
struct synchronized_frame {
    int64_t number;   /*!< counts frames from the first one found, missed ones included */
    double instant;   /*!< centre of the frame's symbol 0, in samples of the stream */
    double frequency; /*!< offset in cycles per symbol */
    double metric;    /*!< of the preamble, 1 on average for noise */
    double phase_rms; /*!< phase followed beyond the frequency, in radians */
    std::vector<double> noise_var;      /*!< [S] of a symbol, as received */
    std::vector<gr_complex> symbols;    /*!< [S][n_received], without offsets; NaN where lost */
    bool has_user_phases = false;       /*!< whether users turn against each other */
    std::vector<double> user_frequency; /*!< [K] against frequency; 0 where not significant */
    /*! [n_data][K] radians by which a user's symbols are still turned in the data, against his
     * pilots, from which his own phase was taken; valid with has_user_phases */
    std::vector<double> user_phases;
    bool has_user_references = false; /*!< whether there are any that are not lost */
    /*! [S][K] a user's pilot chips among the data behind the data beams, without phases: his
     * effective channel times a factor, with the noise of a data symbol */
    std::vector<gr_complex> user_references;
};

/*!
 * \brief From samples of the RF chains to the symbols of frames, one at a time.
 *
 * Looks for preambles without pause, also while a frame comes in: a preamble before the end of a
 * frame (samples were lost) ends that frame. Samples that are not finite count as zero for the
 * search, and every symbol they touch becomes NaN.
 *
 * Allocates at construction only; serves one thread at a time.
 */
class THZUM_API frame_synchronizer
{
public:
    using sptr = std::shared_ptr<frame_synchronizer>;

    /*! \throws std::invalid_argument naming the setting */
    static sptr make(air_frame::sptr frame, const synchronizer_settings& settings);

    virtual ~frame_synchronizer();

    virtual const synchronizer_settings& settings() const = 0;
    virtual air_frame::sptr layout() const = 0;

    /*!
     * \brief Takes samples until a frame is complete.
     * \param samples [S] pointers
     * \param count samples of each; 0 looks at what is there
     * \returns how many were taken
     */
    virtual int push(const gr_complex* const* samples, int count) = 0;

    /*!
     * \brief Samples of silence that stand for what a stream lacks at its end.
     *
     * After as many the frame with which the stream ended is complete. One that lacks no more than
     * these counts as complete: they are not more than half a pulse, the tail of its last symbol.
     */
    virtual int tail() const = 0;

    /*! Whether frame() is a new frame; push() takes nothing until release(). */
    virtual bool has_frame() const = 0;

    virtual const synchronized_frame& frame() const = 0;

    virtual void release() = 0;

    /*!
     * \brief Gains of the chains [S], which are divided out from the next frame on.
     * \throws std::invalid_argument for another number, or gains that are zero or not finite
     */
    virtual void set_calibration(const std::vector<gr_complex>& gains) = 0;

    /*! Users who send from the next frame on: bit k is set when user k does; negative: all do.
     * The others are not looked at for frequency and phase. */
    virtual void set_users(int64_t users) = 0;

    /*! The check of set_calibration() alone. */
    static void check_calibration(const std::vector<gr_complex>& gains, int n_chains);

    /*! Frames complete so far. */
    virtual uint64_t frames() const = 0;

    /*! Frames cut short by the next one. */
    virtual uint64_t cut_short() const = 0;

    /*! Frames missing between those found, by the time that passed. */
    virtual uint64_t missed() const = 0;

    /*! Samples that were not finite. */
    virtual uint64_t bad_samples() const = 0;

    /*! Samples of the stream that a frame coming in has had so far; 0 between frames. */
    virtual int64_t pending() const = 0;

    /*! Forgets everything but the counters; the next sample may follow anything. */
    virtual void restart() = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_FRAME_SYNCHRONIZER_H */
