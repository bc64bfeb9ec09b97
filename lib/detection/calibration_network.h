/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DETECTION_CALIBRATION_NETWORK_H
#define INCLUDED_THZUM_DETECTION_CALIBRATION_NETWORK_H

#include <gnuradio/thzum/onnx_model.h>

namespace gr {
namespace thzum {

/*!
 * \brief What the network of amp_gnn is given and what it gives, row by row; each row holds one
 * number for every amplitude of a vector.
 *
 * Features: 5 odd ones, odd states, their sums over neighbours, 6 even ones, 4 constants of the
 * channel, even states, their sums, stages. Updates: shift, odd states, scale, damping, even
 * states. See docs/onnx-contract.md.
 */
struct calibration_layout {
    static constexpr int own_odd = 5, own_even = 6, constants = 4;
    int odd_states;
    int even_states;
    int stages;

    int odd_state() const { return own_odd; }
    int odd_sum() const { return odd_state() + odd_states; }
    int even() const { return odd_sum() + odd_states; }
    int constant() const { return even() + own_even; }
    int even_state() const { return constant() + constants; }
    int even_sum() const { return even_state() + even_states; }
    int stage() const { return even_sum() + even_states; }
    int features() const { return stage() + stages; }

    int new_odd_state() const { return 1; }
    int new_scale() const { return new_odd_state() + odd_states; }
    int new_damping() const { return new_scale() + 1; }
    int new_even_state() const { return new_damping() + 1; }
    int updates() const { return new_even_state() + even_states; }
};

/*! AMP steps and calls of the network that it was trained with. */
struct calibration_plan {
    int warm;  /*!< AMP steps before the first call */
    int inner; /*!< between two calls */
    int calls;
};

/*!
 * \brief A network of the task "amp_calibration" with buffers for a number of vectors.
 */
class calibration_network
{
public:
    /*!
     * \param path model file; empty for the shipped one
     * \param constellation that it must have been trained for
     * \param max_count vectors of one run \param pitch amplitudes of a row, padding included
     * \throws std::runtime_error for a file at fault
     * \throws std::invalid_argument for a model of other constellations
     */
    calibration_network(const std::string& path,
                        const std::string& constellation,
                        int threads,
                        int max_count,
                        int pitch);

    const calibration_layout& layout() const { return d_layout; }
    const calibration_plan& plan() const { return d_plan; }
    const std::string& path() const { return d_model->path(); }

    /*! Row \p row of the features of vector \p b, [pitch]; rows follow one another. */
    float* features(int b, int row)
    {
        return d_features + (static_cast<long>(b) * d_layout.features() + row) * d_pitch;
    }

    /*! Row \p row of the updates of vector \p b. */
    const float* updates(int b, int row) const
    {
        return d_updates + (static_cast<long>(b) * d_layout.updates() + row) * d_pitch;
    }

    /*! Works out the updates of the first \p count vectors. */
    void run(int count) { d_model->run(count); }

private:
    onnx_model::sptr d_model;
    calibration_layout d_layout;
    calibration_plan d_plan;
    long d_pitch;
    float* d_features;
    const float* d_updates;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DETECTION_CALIBRATION_NETWORK_H */
