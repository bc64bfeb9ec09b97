/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_CONTROL_MESSAGE_H
#define INCLUDED_THZUM_BLOCKS_CONTROL_MESSAGE_H

#include <gnuradio/thzum/options.h>
#include <pmt/pmt.h>
#include <map>

namespace gr {
namespace thzum {

/*! True for what pmt::to_double() takes. */
inline bool is_real_number(const pmt::pmt_t& value)
{
    return pmt::is_integer(value) || pmt::is_real(value);
}

/*!
 * \brief Entries of a control message by key.
 * \param message a dictionary with symbol keys, or one (key . value) pair as GUI widgets send it
 * \throws std::invalid_argument for anything else
 */
std::map<std::string, pmt::pmt_t> control_entries(const pmt::pmt_t& message);

/*! \throws std::invalid_argument naming \p key unless \p value is a symbol */
std::string control_text(const std::string& key, const pmt::pmt_t& value);

/*! \throws std::invalid_argument naming \p key unless \p value is an integer or real number */
double control_number(const std::string& key, const pmt::pmt_t& value);

/*! A dictionary of flags, numbers, symbols and uniform vectors as options.
 * \throws std::invalid_argument naming the option that is none of these */
option_map control_options(const pmt::pmt_t& value);

/*! Zeros and others of a u8vector; empty for nil.
 * \throws std::invalid_argument for anything else */
std::vector<uint8_t> control_mask(const pmt::pmt_t& value);

/*! What a control message asks of a block that runs one of a family of algorithms. */
struct algorithm_control {
    bool is_new_algorithm; /*!< algorithm and options are to be put in place */
    std::string algorithm;
    option_map options;
    double noise_var;
};

/*!
 * \brief Read a control message with the keys algorithm, options and noise_var.
 *
 * What the message leaves out stays as it is: \p algorithm and \p noise_var are those in force.
 * \param block named in the error of a bad noise variance
 * \throws std::invalid_argument for other keys, or values of another type
 */
algorithm_control read_algorithm_control(const pmt::pmt_t& message,
                                         const std::string& block,
                                         const std::string& algorithm,
                                         double noise_var);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_CONTROL_MESSAGE_H */
