/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_DETECTORS_H
#define INCLUDED_THZUM_DETECTION_DETECTORS_H

#include "detection/detector_base.h"

namespace gr {
namespace thzum {

// One registry entry per algorithm; detectors.cc lists them.
detector_entry zf_entry();
detector_entry lmmse_entry();
detector_entry mf_entry();
detector_entry amp_entry();
detector_entry oamp_entry();
detector_entry ep_entry();
detector_entry k_best_entry();
detector_entry cg_ep_entry();
detector_entry amp_gnn_entry();

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_DETECTORS_H */
