/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "detection/calibration_network.h"
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr const char* task = "amp_calibration";

/*! A whole number of the card. */
int whole(const onnx_model& model, const std::string& key, int min, int max)
{
    const double value = model.number(key);
    if (value != std::floor(value) || value < min || value > max)
        throw std::runtime_error("model " + model.path() + ": card, thzum." + key +
                                 ": expected an integer from " + std::to_string(min) + " to " +
                                 std::to_string(max) + ", got '" + model.text(key) +
                                 "'; export the model again with a correct card");
    return static_cast<int>(value);
}

calibration_layout read_layout(const onnx_model& model)
{
    return { whole(model, "odd_states", 1, 256),
             whole(model, "even_states", 1, 256),
             whole(model, "stages", 1, 256) };
}

calibration_plan read_plan(const onnx_model& model)
{
    return { whole(model, "warm_steps", 0, 1000),
             whole(model, "inner_steps", 0, 1000),
             whole(model, "calls", 1, 1000) };
}

void check_constellation(const onnx_model& model, const std::string& constellation)
{
    std::istringstream names(model.text("constellations"));
    for (std::string name; std::getline(names, name, ',');)
        if (name == constellation)
            return;
    throw std::invalid_argument("model " + model.path() + ": trained for the constellations " +
                                model.text("constellations") + ", the detector is for '" +
                                constellation + "'; give a model trained for it");
}

} // namespace

calibration_network::calibration_network(const std::string& path,
                                         const std::string& constellation,
                                         int threads,
                                         int max_count,
                                         int pitch)
    : d_model(onnx_model::make(path.empty() ? onnx_model::shipped("amp_gnn") : path, task, threads)),
      d_layout(read_layout(*d_model)),
      d_plan(read_plan(*d_model)),
      d_pitch(pitch)
{
    check_constellation(*d_model, constellation);
    d_features = d_model->reserve_input(d_model->input("features"),
                                        { max_count, d_layout.features(), pitch });
    d_updates = d_model->reserve_output(d_model->output("updates"),
                                        { max_count, d_layout.updates(), pitch });
}

} // namespace thzum
} // namespace gr
