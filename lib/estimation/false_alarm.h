/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ESTIMATION_FALSE_ALARM_H
#define INCLUDED_THZUM_ESTIMATION_FALSE_ALARM_H

namespace gr {
namespace thzum {
namespace estimation {

/*!
 * Peak of noise alone over noise_var that is exceeded with probability \p false_alarm.
 *
 * In one direction the metric is a Gamma(\p order) variable x; over directions it is a smooth field,
 * whose number of peaks above a high level is on average its Euler characteristic there (Worsley, Adv.
 * Appl. Probab. 1994). With the derivatives' variance of a uniform aperture, (2 pi)^2 / 12 per squared
 * resolution cell, that is cells * (pi / 6) (2 x - 2 order + 1) x^(order - 1) exp(-x) / (order - 1)!.
 */
double detection_threshold(double cells, int order, double false_alarm);

} // namespace estimation
} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ESTIMATION_FALSE_ALARM_H */
