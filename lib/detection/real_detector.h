/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_REAL_DETECTOR_H
#define INCLUDED_THZUM_DETECTION_REAL_DETECTOR_H

#include "detection/detector_base.h"
#include "detection/real_model.h"

namespace gr {
namespace thzum {

/*!
 * \brief Detector that works on the real-valued model, a few vectors at a time.
 */
class real_detector : public detector_base
{
public:
    /*! Vectors that most detectors are given at a time: their state stays in the processor's first
     * cache. */
    static constexpr int batch = 16;

    /*! \param max_count most vectors that run() is given */
    real_detector(const std::string& name,
                  const detector_sizes& sizes,
                  const option_reader& options,
                  int max_count = batch);

protected:

    /*! Channel work, after model() has been loaded. */
    virtual void prepare_model() = 0;

    /*!
     * \brief Estimates amplitudes, each vector on its own.
     * \param y [count][row_stride]
     * \param r [count][column_stride] amplitude + error
     * \param v [count][column_stride] variance of that error
     */
    virtual void run(const float* y, int count, float* r, float* v) = 0;

    const real_model& model() const { return d_model; }
    const std::vector<float>& levels() const { return d_levels; }

    void prepare(const gr_complex* H, int n_active, float noise_var) override;
    void equalise(const gr_complex* y, int count, gr_complex* x_hat, float* variance) override;

    /*! Complex estimates from those of the axes; what is not finite becomes "nothing known". */
    void
    join_axes(const float* r, const float* v, int count, gr_complex* x_hat, float* variance) const;

private:
    int d_max_count;
    real_model d_model;
    const std::vector<float>& d_levels;
    std::vector<float> d_y; // [max_count][row_stride]
    std::vector<float> d_r; // [max_count][column_stride]
    std::vector<float> d_v; // [max_count][column_stride]
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_REAL_DETECTOR_H */
