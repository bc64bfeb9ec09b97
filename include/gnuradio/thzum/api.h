/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_API_H
#define INCLUDED_THZUM_API_H

#include <gnuradio/attributes.h>

#ifdef gnuradio_thzum_EXPORTS
#define THZUM_API __GR_ATTR_EXPORT
#else
#define THZUM_API __GR_ATTR_IMPORT
#endif

#endif /* INCLUDED_THZUM_API_H */
