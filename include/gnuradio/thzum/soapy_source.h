/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SOAPY_SOURCE_H
#define INCLUDED_THZUM_SOAPY_SOURCE_H

#include <gnuradio/sync_block.h>
#include <gnuradio/thzum/api.h>
#include <cstdint>
#include <map>
#include <string>

namespace gr {
namespace thzum {

/*! How a soapy_source uses its device. */
struct soapy_source_settings {
    std::string device;       /*!< SoapySDR arguments such as "driver=uhd,addr=192.168.10.2" */
    int n_chains;             /*!< RF chains, the device's channels 0 .. n_chains - 1 */
    double sample_rate;       /*!< in Hz, which the device has to meet to 1e-6; 0: its own */
    double frequency = 0.0;   /*!< of all channels in Hz; 0 leaves them as they are */
    double gain = -1000.0;    /*!< of all channels in dB; -1000 leaves them as they are */
    std::string stream;       /*!< SoapySDR stream arguments */
    double longest_gap = 0.5; /*!< seconds of lost samples that NaN stand in for at a time */
};

/*!
 * \brief The RF chains of any multi-channel SoapySDR device, in step with its clock.
 * \ingroup thzum
 *
 * Outputs: one stream of complex samples per RF chain. Samples that the device lost (overflow) are
 * seen in its timestamps: NaN stand in for them, so that the streams keep time and frame_sync and
 * pilot_receiver skip the frame that was hit instead of joining two. A gap longer than
 * \p longest_gap is filled up to that and the rest left out.
 *
 * Tags on every output at the first sample, and at the first behind a gap: \p rx_time (tuple of
 * uint64 seconds and double fraction), and \p thzum_lost (long, samples lost) at the beginning of a
 * gap.
 *
 * Message port \p report: after an overflow or gap a dictionary with overflows, lost_samples,
 * unfilled_samples (long) and time (double, of the device, in s). Port \p control takes a
 * dictionary whose keys are device settings and whose values are symbols or numbers, plus
 * \p frequency and \p gain (all channels).
 *
 * A device that fails (unplugged) ends the stream with an error in the log.
 */
class THZUM_API soapy_source : virtual public gr::sync_block
{
public:
    using sptr = std::shared_ptr<soapy_source>;

    /*!
     * \throws std::invalid_argument for devices that do not answer, have too few channels or
     * another sample rate
     * \throws std::runtime_error when the module was built without SoapySDR
     */
    static sptr make(const soapy_source_settings& settings);

    /*! Whether the module was built with SoapySDR. */
    static bool is_available();

    /*! A device's own setting, see SoapySDR's writeSetting. */
    virtual void set_setting(const std::string& key, const std::string& value) = 0;
    virtual void set_frequency(double frequency) = 0;
    /*! \param chain 0 .. n_chains - 1, or -1 for all */
    virtual void set_gain(double gain, int chain) = 0;

    /*! What the device tells of itself. */
    virtual std::map<std::string, std::string> information() const = 0;

    virtual double sample_rate() const = 0;

    virtual uint64_t overflows() const = 0;
    /*! Samples that never came, by the device's timestamps. */
    virtual uint64_t lost_samples() const = 0;
    /*! Of these, samples that no NaN stand in for. */
    virtual uint64_t unfilled_samples() const = 0;
    /*! Samples of each chain that came. */
    virtual uint64_t received_samples() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SOAPY_SOURCE_H */
