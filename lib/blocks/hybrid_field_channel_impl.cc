/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/uniform.h"
#include "control_message.h"
#include "frame_tags.h"
#include "hybrid_field_channel_impl.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr double largest_snr_db = 200.0; // either way; keeps variances well within a float

double checked_snr_db(double snr_db)
{
    if (!(std::abs(snr_db) <= largest_snr_db))
        throw std::invalid_argument("hybrid_field_channel: snr_db: expected a number from -200 to "
                                    "200, got " +
                                    std::to_string(snr_db));
    return snr_db;
}

std::string text_of(const array_shape& shape)
{
    return std::to_string(shape.n_subarrays) + " subarrays of " + std::to_string(shape.rows) + "x" +
           std::to_string(shape.cols);
}

// Operators keep scratch memory, and other blocks use the one given.
pilot_operator::sptr checked_copy(const pilot_operator::sptr& op,
                                  const hybrid_field_parameters& parameters)
{
    if (!op)
        throw std::invalid_argument(
            "hybrid_field_channel: op: expected a pilot_operator, got none");
    // A model that is evaluated element by element has subarrays of one element in the same order.
    const array_shape by_element{ op->shape().antennas(), 1, 1 };
    if (op->shape() != parameters.shape && by_element != parameters.shape)
        throw std::invalid_argument(
            "hybrid_field_channel: parameters: expected the operator's array, " +
            text_of(op->shape()) + ", got " + text_of(parameters.shape));
    return op->clone();
}

std::vector<float> row_norms(const pilot_operator& op)
{
    const size_t n = op.shape().elements();
    std::vector<float> norms;
    for (int m = 0; m < op.n_observations(); m++) {
        double energy = 0.0;
        for (size_t i = 0; i < n; i++)
            energy += std::norm(op.combiner()[m * n + i]);
        norms.push_back(float(std::sqrt(energy)));
    }
    return norms;
}

} // namespace

hybrid_field_channel::sptr hybrid_field_channel::make(pilot_operator::sptr op,
                                                      const hybrid_field_parameters& parameters,
                                                      double snr_db,
                                                      uint64_t seed,
                                                      uint64_t n_items)
{
    return gnuradio::make_block_sptr<hybrid_field_channel_impl>(
        checked_copy(op, parameters),
        hybrid_field_model::make(parameters),
        checked_snr_db(snr_db),
        seed,
        n_items);
}

hybrid_field_channel_impl::hybrid_field_channel_impl(pilot_operator::sptr op,
                                                     hybrid_field_model::sptr model,
                                                     double snr_db,
                                                     uint64_t seed,
                                                     uint64_t n_items)
    : gr::sync_block("hybrid_field_channel",
                     gr::io_signature::make(0, 0, 0),
                     gr::io_signature::make2(1,
                                             2,
                                             op->n_observations() * sizeof(gr_complex),
                                             op->shape().antennas() * sizeof(gr_complex))),
      d_op(op),
      d_model(model),
      d_generator(seed),
      d_noise_generator(~seed),
      d_n_items(n_items),
      d_snr_db(snr_db),
      d_paths(model->parameters().n_paths),
      d_h(op->shape().antennas()),
      d_row_norms(row_norms(*op))
{
    if (op->model() == noise_model::common) {
        d_antenna_noise.resize(op->shape().antennas());
        d_pilot_noise.resize(op->n_observations());
    }
    message_port_register_in(ports::control());
    set_msg_handler(ports::control(), [this](const pmt::pmt_t& msg) { handle_control(msg); });
}

void hybrid_field_channel_impl::set_snr_db(double snr_db) { d_snr_db = checked_snr_db(snr_db); }

void hybrid_field_channel_impl::handle_control(const pmt::pmt_t& message)
{
    try {
        double snr_db = d_snr_db;
        for (const auto& [key, value] : control_entries(message)) {
            if (key != "snr_db")
                throw std::invalid_argument("expected the key snr_db, got '" + key + "'");
            snr_db = checked_snr_db(control_number(key, value));
        }
        d_snr_db = snr_db;
    } catch (const std::exception& error) {
        d_logger->warn("control message dropped: {}", error.what());
    }
}

void hybrid_field_channel_impl::add_noise(double noise_var, gr_complex* y)
{
    const float deviation = float(std::sqrt(noise_var));
    if (d_op->model() == noise_model::per_slot) {
        for (size_t m = 0; m < d_row_norms.size(); m++)
            y[m] += deviation * d_row_norms[m] * complex_gaussian(d_noise_generator);
        return;
    }
    for (auto& sample : d_antenna_noise)
        sample = deviation * complex_gaussian(d_noise_generator);
    d_op->forward(d_antenna_noise.data(), d_pilot_noise.data(), 1);
    for (size_t m = 0; m < d_pilot_noise.size(); m++)
        y[m] += d_pilot_noise[m];
}

void hybrid_field_channel_impl::tag_item(uint64_t offset, double noise_var, int n_outputs)
{
    const auto frame = pmt::from_long(long(offset));
    const auto variance = pmt::from_double(noise_var);
    for (int port = 0; port < n_outputs; port++) {
        add_item_tag(port, offset, tags::frame(), frame);
        add_item_tag(port, offset, tags::user(), pmt::from_long(0));
        add_item_tag(port, offset, tags::noise_var(), variance);
    }
}

int hybrid_field_channel_impl::work(int noutput_items,
                                    gr_vector_const_void_star&,
                                    gr_vector_void_star& output_items)
{
    uint64_t count = noutput_items;
    if (d_n_items > 0) {
        if (d_items >= d_n_items)
            return WORK_DONE;
        count = std::min<uint64_t>(count, d_n_items - d_items);
    }
    const double noise_var = std::pow(10.0, -0.1 * d_snr_db);
    for (uint64_t i = 0; i < count; i++) {
        auto* y = static_cast<gr_complex*>(output_items[0]) + i * d_row_norms.size();
        d_model->draw_paths(d_generator, d_paths.data(), 1);
        d_model->response(d_paths.data(), d_h.data(), 1);
        d_op->forward(d_h.data(), y, 1);
        add_noise(noise_var, y);
        if (output_items.size() > 1)
            std::copy(
                d_h.begin(), d_h.end(), static_cast<gr_complex*>(output_items[1]) + i * d_h.size());
        tag_item(nitems_written(0) + i, noise_var, int(output_items.size()));
    }
    d_items += count;
    return int(count);
}

} // namespace thzum
} // namespace gr
