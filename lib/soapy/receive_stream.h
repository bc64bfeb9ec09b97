/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SOAPY_RECEIVE_STREAM_H
#define INCLUDED_THZUM_SOAPY_RECEIVE_STREAM_H

#include "soapy/medium.h"
#include "soapy/radio_settings.h"
#include <memory>
#include <mutex>
#include <vector>

namespace gr {
namespace thzum {

/*! What a read brought. */
struct receive_result {
    int count = 0;            /*!< samples of each chain; 0: none until the time-out */
    bool is_overflow = false; /*!< samples were lost instead; \p time is that of the next */
    int64_t time = 0;         /*!< of the first sample, in samples of the receiver's clock */
};

/*!
 * \brief The medium through the channel into the RF chains, in real time.
 *
 * Samples come as time passes; what is not fetched waits in the medium, and is lost when half of
 * its room has filled. The channel's own time stands still then, and its combiner schedule is
 * moved, so that combiners stay with the medium's time.
 *
 * Reading is for one thread, settings may come from others.
 */
class receive_stream
{
public:
    receive_stream(std::shared_ptr<medium> air, const radio_settings& settings);

    int n_chains() const { return d_channel->shape().n_subarrays; }
    int packet() const { return d_packet; }

    /*! From \p time on, or from now on if that is negative. */
    void start(int64_t time);

    /*! \param samples [S] pointers with room for \p count */
    receive_result read(gr_complex* const* samples, int count, long timeout_us);

    /*! The receiver's clock at present. */
    int64_t clock() const;

    void set_faults(const radio_faults& faults);
    void set_noise_var(double noise_var);
    /*! Offset of the carrier in Hz beside the fault cfo, from tuning. */
    void set_tuning(double offset);
    void set_gain(int chain, double gain_db);
    void lose(int64_t count);

private:
    void set_schedule();
    receive_result overflow(int64_t lost, bool is_silent);
    int64_t whole_realisations(int64_t count) const;
    int64_t due_drop();
    void pass(int count);
    void spoil(int first, int count);
    void chain_gains(int64_t time, std::vector<float>& gains) const;
    void hand_on(gr_complex* const* samples, int count);

    std::shared_ptr<medium> d_air;
    const radio_setup d_setup;
    const double d_rate;
    const int d_packet;
    const int64_t d_patience;  // samples that may wait
    const double d_clock_rate; // of the receiver's over the medium's
    uplink_channel::sptr d_channel;

    mutable std::mutex d_mutex;
    radio_faults d_faults;
    double d_tuning = 0.0;
    std::vector<double> d_gain_db;
    int64_t d_to_lose = 0;

    int64_t d_next = 0;        // time of the medium that is read next
    int64_t d_skipped = 0;     // medium's time less the channel's
    int64_t d_clock_zero = 0;  // receiver's clock and medium's time at the start
    int64_t d_sample_time = 0; // receiver's clock of the next sample to be handed on
    int64_t d_last_drop = 0;
    double d_phase = 0.0; // of the frequency offset, in cycles
    int d_ready = 0;      // samples in d_output
    std::vector<float> d_gains;
    std::vector<std::vector<gr_complex>> d_input, d_output;
    std::vector<const gr_complex*> d_x;
    std::vector<gr_complex*> d_y;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SOAPY_RECEIVE_STREAM_H */
