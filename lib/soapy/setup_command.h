/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SOAPY_SETUP_COMMAND_H
#define INCLUDED_THZUM_SOAPY_SETUP_COMMAND_H

#include <gnuradio/thzum/radio_setup.h>
#include <SoapySDR/Types.hpp>
#include <set>
#include <string>

namespace gr {
namespace thzum {

/*! Arguments of the device that the command "thzum radio" takes. */
const std::set<std::string>& setup_keys();

/*!
 * \brief The setup that the command "thzum radio" makes of these arguments.
 * \throws std::invalid_argument with what the command said when it fails
 */
radio_setup setup_by_command(const SoapySDR::Kwargs& arguments);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SOAPY_SETUP_COMMAND_H */
