/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_FRAME_TAGS_H
#define INCLUDED_THZUM_BLOCKS_FRAME_TAGS_H

#include <pmt/pmt.h>

namespace gr {
namespace thzum {

/*! Keys of the stream tags, and of the same facts in message dictionaries (without the prefix). */
namespace tags {

/*! A symbol made once: interning takes a lock, a reference does not. */
#define THZUM_SYMBOL(name, text)                        \
    inline const pmt::pmt_t& name()                     \
    {                                                   \
        static const pmt::pmt_t symbol = pmt::mp(text); \
        return symbol;                                  \
    }

THZUM_SYMBOL(frame, "thzum_frame")           /* long: frame number */
THZUM_SYMBOL(user, "thzum_user")             /* long: user index within the frame */
THZUM_SYMBOL(noise_var, "thzum_noise_var")   /* double: antenna noise variance */
THZUM_SYMBOL(iterations, "thzum_iterations") /* long: iterations run */
THZUM_SYMBOL(residual, "thzum_residual")     /* double: relative change of the last iteration */
THZUM_SYMBOL(predicted_nmse_db, "thzum_predicted_nmse_db") /* double: in dB */
THZUM_SYMBOL(amplitude, "thzum_amplitude") /* double: amplitude per antenna that counts as one */
THZUM_SYMBOL(users, "thzum_users")         /* long: bit k is set when user k sends */
THZUM_SYMBOL(beams, "thzum_beams") /* s32vector or u8vector: code book row of each subarray */
THZUM_SYMBOL(noise_scale, "thzum_noise_scale") /* f32vector: noise of each chain over noise_var */
THZUM_SYMBOL(vectors, "thzum_vectors")         /* long: received vectors of a coherence block */
THZUM_SYMBOL(skipped, "thzum_skipped")         /* symbol: why the item is all-zero */
THZUM_SYMBOL(user_phase, "thzum_user_phase")   /* f64vector: radians of each user from here on */
THZUM_SYMBOL(user_reference, "thzum_user_reference") /* c32vector [chain][user]: pilots in data */

} // namespace tags

/*! Names of the message ports that all blocks share. */
namespace ports {

THZUM_SYMBOL(control, "control")   /* in: dictionary of settings */
THZUM_SYMBOL(report, "report")     /* out: dictionary per item or frame */
THZUM_SYMBOL(combiner, "combiner") /* out: dictionary per frame, rows of the data combiner */
THZUM_SYMBOL(paths, "paths")       /* out: dictionary per estimate, values by path */

} // namespace ports

/*! Keys of message dictionaries. */
namespace keys {

THZUM_SYMBOL(frame, "frame")
THZUM_SYMBOL(user, "user")
THZUM_SYMBOL(noise_var, "noise_var")
THZUM_SYMBOL(iterations, "iterations")
THZUM_SYMBOL(residual, "residual")
THZUM_SYMBOL(predicted_nmse_db, "predicted_nmse_db")
THZUM_SYMBOL(skipped, "skipped")
THZUM_SYMBOL(latency_us, "latency_us")
THZUM_SYMBOL(algorithm, "algorithm")
THZUM_SYMBOL(options, "options")
THZUM_SYMBOL(combiner, "combiner")
THZUM_SYMBOL(beams, "beams")
THZUM_SYMBOL(rows, "rows")
THZUM_SYMBOL(nmse_db, "nmse_db")
THZUM_SYMBOL(mean_nmse_db, "mean_nmse_db")
THZUM_SYMBOL(count, "count")
THZUM_SYMBOL(steps, "steps")
THZUM_SYMBOL(steps_saved, "steps_saved")

} // namespace keys

#undef THZUM_SYMBOL

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_FRAME_TAGS_H */
