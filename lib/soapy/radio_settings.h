/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SOAPY_RADIO_SETTINGS_H
#define INCLUDED_THZUM_SOAPY_RADIO_SETTINGS_H

#include "soapy/medium.h"
#include <gnuradio/thzum/radio_setup.h>
#include <SoapySDR/Types.hpp>
#include <string>
#include <vector>

namespace gr {
namespace thzum {

/*! What goes wrong at the receiver; may change while it runs. */
struct radio_faults {
    double cfo = 0.0;              /*!< receiver's carrier minus the users', in Hz, negated */
    double gain_step_db = 0.0;     /*!< by which the gain is off in every other period */
    double gain_step_period = 0.0; /*!< in s; 0: none */
    int gain_step_chain = -1;      /*!< -1: all */
    std::vector<int> dead;         /*!< chains that give zeros */
    int64_t drop_samples = 0;      /*!< that vanish at a time */
    double drop_period = 0.0;      /*!< in s; 0: none */
    bool is_drop_silent = false;   /*!< the timestamps go on as if nothing had happened */
};

/*! Arguments of the device, read and checked. */
struct radio_settings {
    radio_setup setup;
    std::string medium;
    double pace = 1.0;
    int64_t room = 1 << 18;   /*!< samples of each user in the medium */
    int packet = 1024;        /*!< samples of a read */
    int64_t align = 1;        /*!< transmissions begin at multiples of this time */
    double transmit_lead = 0; /*!< s between a start and the first sample on the air */
    radio_faults faults;
};

/*!
 * \brief Settings from the arguments of SoapySDR::Device::make.
 *
 * The channel comes from the file that \p setup names or, without it, from the command "thzum
 * radio", which is given all arguments it knows.
 * \throws std::invalid_argument naming the argument, what was expected and what came
 */
radio_settings read_radio_settings(const SoapySDR::Kwargs& arguments);

/*! Settings that may change while the radio runs, for getSettingInfo. */
SoapySDR::ArgInfoList live_settings();

/*!
 * \brief Change \p faults as writeSetting asks.
 * \returns false for keys that are none of them
 * \throws std::invalid_argument for values that do not fit
 */
bool change_fault(radio_faults& faults,
                  const std::string& key,
                  const std::string& value,
                  int n_chains);

/*! Noise variance of \p key, "noise_var" or "snr_db", at the value \p text. */
double noise_var_of(const std::string& key, const std::string& text, int n_users);

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SOAPY_RADIO_SETTINGS_H */
