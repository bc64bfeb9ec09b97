/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_RADIO_SETUP_H
#define INCLUDED_THZUM_RADIO_SETUP_H

#include <gnuradio/thzum/api.h>
#include <gnuradio/thzum/uplink_channel.h>
#include <cstdint>
#include <string>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief What the virtual radio has to know: the channel, and which frames it is for.
 *
 * Travels from the Python package, which draws channels, to the SoapySDR driver in a file. The file
 * is for the machine that wrote it.
 */
struct THZUM_API radio_setup {
    uplink_parameters channel; /*!< its schedule counts from time 0 of the medium */
    double carrier_frequency;  /*!< in Hz */
    int64_t frame_length;      /*!< samples of a frame, at whose multiples transmissions begin */
    uint64_t plan;             /*!< fingerprint of the pilot plan; both ends need the same */
    std::vector<int> beams;    /*!< [S] code book indices of the data beams, for receivers to ask */

    /*! \throws std::runtime_error naming the file when it cannot be written */
    void save(const std::string& path) const;

    /*! \throws std::invalid_argument naming the file when it is missing, damaged or of another
     * version */
    static radio_setup load(const std::string& path);
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_RADIO_SETUP_H */
