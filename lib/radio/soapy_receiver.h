/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_RADIO_SOAPY_RECEIVER_H
#define INCLUDED_THZUM_RADIO_SOAPY_RECEIVER_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/soapy_source.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace thzum {

/*! What a read brought. */
struct soapy_packet {
    enum class kind { nothing, samples, overflow, failure };
    kind status = kind::nothing;
    int count = 0;
    bool has_time = false;
    int64_t time_ns = 0;
    std::string error;
};

/*! Receive channels of a SoapySDR device as one stream; keeps SoapySDR's headers out of blocks. */
class soapy_receiver
{
public:
    /*! \throws as soapy_source::make() */
    static std::unique_ptr<soapy_receiver> make(const soapy_source_settings& settings);
    static bool is_available();

    virtual ~soapy_receiver() = default;

    virtual int n_chains() const = 0;
    virtual double sample_rate() const = 0;
    /*! Samples of a packet at most. */
    virtual int packet_size() const = 0;
    virtual std::string name() const = 0;
    virtual std::map<std::string, std::string> information() const = 0;

    virtual void start() = 0;
    virtual void stop() = 0;
    /*! Waits a tenth of a second at most. */
    virtual soapy_packet read(const std::vector<gr_complex*>& samples) = 0;

    virtual void set_setting(const std::string& key, const std::string& value) = 0;
    virtual void set_frequency(double frequency) = 0;
    virtual void set_gain(double gain, int chain) = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_RADIO_SOAPY_RECEIVER_H */
