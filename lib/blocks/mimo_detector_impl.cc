/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "block_arguments.h"
#include "control_message.h"
#include "detection/symbol_posterior.h"
#include "frame_tags.h"
#include "item_check.h"
#include "mimo_detector_impl.h"
#include <gnuradio/block_detail.h>
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <chrono>
#include <climits>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

const char* const block_name = "mimo_detector";

/*! Vectors the buffers are made to hold, so that a long coherence block is detected in few calls.
 */
constexpr int largest_buffered_batch = 64;

/*! Vectors that one call of the algorithm has at most. */
constexpr int largest_batch_size = 4096;

/*! Length of a coherence block, 0 standing for no vectors after those to detect. */
int checked_block_length(int n_symbols, int offset, int block_length)
{
    at_least_one("mimo_detector", "n_symbols", n_symbols);
    if (offset < 0)
        throw std::invalid_argument("mimo_detector: offset expects an integer of at least 0, got " +
                                    std::to_string(offset));
    if (block_length != 0 && block_length < offset + n_symbols)
        throw std::invalid_argument(
            "mimo_detector: block_length expects at least offset + n_symbols = " +
            std::to_string(offset + n_symbols) + ", or 0 for just that, got " +
            std::to_string(block_length));
    return block_length != 0 ? block_length : offset + n_symbols;
}

io_signature::sptr output_sizes(int n_tx, int bits)
{
    return io_signature::makev(1,
                               5,
                               { static_cast<int>(n_tx * sizeof(int32_t)),
                                 static_cast<int>(n_tx * bits * sizeof(float)),
                                 static_cast<int>(n_tx * sizeof(gr_complex)),
                                 static_cast<int>(n_tx * sizeof(float)),
                                 static_cast<int>(n_tx * sizeof(float)) });
}

} // namespace

mimo_detector::sptr mimo_detector::make(const std::string& algorithm,
                                        int n_rx,
                                        int n_tx,
                                        const std::string& constellation,
                                        int n_symbols,
                                        double noise_var,
                                        const option_map& options,
                                        int offset,
                                        int block_length)
{
    return gnuradio::make_block_sptr<mimo_detector_impl>(
        make_detector(algorithm, n_rx, n_tx, constellation, options),
        algorithm,
        options,
        n_symbols,
        checked_noise_var(block_name, noise_var),
        offset,
        checked_block_length(n_symbols, offset, block_length));
}

mimo_detector_impl::mimo_detector_impl(detector::sptr first_detector,
                                       const std::string& algorithm,
                                       const option_map& options,
                                       int n_symbols,
                                       double noise_var,
                                       int offset,
                                       int block_length)
    : gr::block(block_name,
                gr::io_signature::make2(2,
                                        2,
                                        first_detector->n_rx() * first_detector->n_tx() *
                                            sizeof(gr_complex),
                                        first_detector->n_rx() * sizeof(gr_complex)),
                output_sizes(first_detector->n_tx(), first_detector->bits_per_symbol())),
      d_n_rx(first_detector->n_rx()),
      d_n_tx(first_detector->n_tx()),
      d_bits(first_detector->bits_per_symbol()),
      d_n_symbols(n_symbols),
      d_offset(offset),
      d_block_length(block_length),
      d_detector(first_detector),
      d_algorithm(algorithm),
      d_options(options),
      d_constellation(first_detector->constellation()),
      d_fixed_noise_var(noise_var),
      d_channel(static_cast<size_t>(d_n_rx) * d_n_tx),
      d_turned(d_channel.size()),
      d_white(static_cast<size_t>(d_n_rx) * largest_batch_size),
      d_faults(largest_batch_size),
      d_tagged_skipped(largest_batch_size),
      d_has_phases(largest_batch_size),
      d_phases(d_n_rx, d_n_tx)
{
    // Tags of both inputs are merged in tag_vectors().
    set_tag_propagation_policy(TPP_DONT);
    const int batch = std::min(n_symbols, largest_buffered_batch);
    set_min_output_buffer(2 * batch);
    // Makes the blocks upstream allocate room for a batch; start() takes the constraint back, so
    // that the vectors before the end of a stream are not lost.
    set_output_multiple(batch);
    message_port_register_out(ports::report());
    message_port_register_in(ports::control());
    set_msg_handler(ports::control(), [this](const pmt::pmt_t& msg) { handle_control(msg); });
}

// Called before any block of the flowgraph starts, unlike start().
bool mimo_detector_impl::check_topology(int, int noutputs)
{
    std::lock_guard<std::mutex> lock(d_mutex);
    const bool has_llr = noutputs > 1;
    if (has_llr && d_detector->bits_per_symbol() != d_bits) {
        d_logger->error(
            "output llr holds {} bits per symbol, but the constellation is now {}; leave "
            "it open or build the block anew",
            d_bits,
            d_constellation);
        return false;
    }
    d_has_llr = has_llr;
    return true;
}

bool mimo_detector_impl::start()
{
    set_output_multiple(1);
    d_block = coherence_block();
    return block::start();
}

bool mimo_detector_impl::stop()
{
    set_output_multiple(std::min(d_n_symbols, largest_buffered_batch));
    d_has_llr = false;
    return block::stop();
}

void mimo_detector_impl::set_algorithm(const std::string& name, const option_map& options)
{
    std::lock_guard<std::mutex> one_change(d_build_mutex);
    auto built = make_detector(name, d_n_rx, d_n_tx, d_constellation, options);
    std::lock_guard<std::mutex> swap(d_mutex);
    d_detector.swap(built);
    d_algorithm = name;
    d_options = options;
    d_is_channel_loaded = false;
}

void mimo_detector_impl::set_constellation(const std::string& constellation)
{
    std::lock_guard<std::mutex> one_change(d_build_mutex);
    auto built = make_detector(d_algorithm, d_n_rx, d_n_tx, constellation, d_options);
    std::lock_guard<std::mutex> swap(d_mutex);
    if (d_has_llr && built->bits_per_symbol() != d_bits)
        throw std::invalid_argument(
            "mimo_detector: constellation expects one of " + std::to_string(d_bits) +
            " bits per symbol while the soft bits are connected, got '" + constellation +
            "'; leave output llr open or build the block anew");
    d_detector.swap(built);
    d_constellation = constellation;
    d_is_channel_loaded = false;
}

std::string mimo_detector_impl::constellation() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_constellation;
}

void mimo_detector_impl::set_noise_var(double noise_var)
{
    d_fixed_noise_var = checked_noise_var(block_name, noise_var);
}

std::string mimo_detector_impl::algorithm() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_algorithm;
}

std::string mimo_detector_impl::settings() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_detector->repr();
}

void mimo_detector_impl::handle_control(const pmt::pmt_t& message)
{
    try {
        apply_control(message);
    } catch (const std::exception& error) {
        d_logger->warn("control message dropped: {}", error.what());
    }
}

void mimo_detector_impl::apply_control(const pmt::pmt_t& message)
{
    const auto control =
        read_algorithm_control(message, block_name, algorithm(), d_fixed_noise_var);
    if (control.is_new_algorithm)
        set_algorithm(control.algorithm, control.options);
    d_fixed_noise_var = control.noise_var;
}

void mimo_detector_impl::forecast(int, gr_vector_int& ninput_items_required)
{
    ninput_items_required[0] = d_block.position == d_block.length ? 1 : 0;
    ninput_items_required[1] = 1;
}

int mimo_detector_impl::general_work(int noutput_items,
                                     gr_vector_int& ninput_items,
                                     gr_vector_const_void_star& input_items,
                                     gr_vector_void_star& output_items)
{
    const auto* H = static_cast<const gr_complex*>(input_items[0]);
    const auto* y = static_cast<const gr_complex*>(input_items[1]);
    d_n_outputs = static_cast<int>(output_items.size());
    std::lock_guard<std::mutex> lock(d_mutex);
    int blocks = 0, used = 0, done = 0;
    while (used < ninput_items[1]) {
        if (d_block.position == d_block.length) {
            if (blocks == ninput_items[0])
                break;
            begin_block(H + static_cast<size_t>(blocks) * d_n_rx * d_n_tx, blocks);
            blocks++;
        }
        const int position = d_block.position, end = d_block.end;
        int count = ninput_items[1] - used;
        if (position >= d_offset && position < end) {
            count = std::min({ count, end - position, noutput_items - done, largest_batch_size });
            if (count == 0)
                break;
            detect_vectors(y + static_cast<size_t>(used) * d_n_rx,
                           used,
                           done,
                           count,
                           outputs_at(output_items, done));
            done += count;
        } else {
            count = std::min(count, (position < d_offset ? d_offset : d_block.length) - position);
            pass_by_phases(used, count);
        }
        d_block.position += count;
        used += count;
        if (d_block.position == end && position < end)
            report_block();
    }
    consume(0, blocks);
    consume(1, used);
    return done;
}

void mimo_detector_impl::begin_block(const gr_complex* H, int index)
{
    d_block = coherence_block();
    d_block.length = d_block_length;
    d_block.end = d_offset + d_n_symbols;
    d_block.noise_var = static_cast<float>(d_fixed_noise_var.load());
    d_row_scale.clear();
    d_block.fault = read_block_tags(index);
    for (size_t at = 0; at < d_channel.size(); at++)
        d_channel[at] = d_row_scale.empty() ? H[at] : d_row_scale[at / d_n_tx] * H[at];
    if (!(item_energy(H, d_n_rx * d_n_tx) < largest_item_energy))
        d_block.fault = skip_reason::nan();
    d_phases.clear();
    for (int k = 0; k < d_n_tx; k++) {
        bool present = false;
        for (int r = 0; r < d_n_rx; r++)
            present = present || H[r * d_n_tx + k] != gr_complex(0);
        d_block.users += present;
    }
    d_is_channel_loaded = false;
}

/*! Takes frame and noise variance from the tags. \return why the block cannot be detected, or null
 */
pmt::pmt_t mimo_detector_impl::read_block_tags(int index)
{
    get_tags_in_window(d_block_tags, 0, index, index + 1);
    const bool is_fixed = d_block.noise_var > 0.0f;
    pmt::pmt_t fault = is_fixed ? nullptr : skip_reason::no_noise_var();
    pmt::pmt_t upstream, scale_fault;
    for (const auto& tag : d_block_tags) {
        if (tag.key == tags::frame()) {
            d_block.frame = tag.value;
        } else if (tag.key == tags::skipped()) {
            upstream = tag.value;
        } else if (tag.key == tags::noise_var() && !is_fixed) {
            const double value = is_real_number(tag.value) ? pmt::to_double(tag.value) : 0.0;
            fault = is_usable_noise_var(value) ? nullptr : skip_reason::noise_var();
            d_block.noise_var = static_cast<float>(value);
        } else if (tag.key == tags::vectors()) {
            read_length(tag.value);
        } else if (tag.key == tags::noise_scale() && !read_noise_scale(tag.value)) {
            scale_fault = skip_reason::noise_scale();
        }
    }
    return upstream ? upstream : fault ? fault : scale_fault;
}

void mimo_detector_impl::read_length(const pmt::pmt_t& value)
{
    const long vectors = pmt::is_integer(value) ? pmt::to_long(value) : 0;
    if (vectors <= d_offset || vectors > INT_MAX) {
        d_logger->warn("thzum_vectors: expected an integer above offset = {}, got {}; {} are taken",
                       d_offset,
                       pmt::write_string(value),
                       d_block_length);
        return;
    }
    d_block.length = d_block.end = static_cast<int>(vectors);
}

/*! \return false unless there are n_rx positive numbers */
bool mimo_detector_impl::read_noise_scale(const pmt::pmt_t& value)
{
    d_row_scale.clear();
    if (!pmt::is_f32vector(value) || pmt::length(value) != static_cast<size_t>(d_n_rx))
        return false;
    const auto scales = pmt::f32vector_elements(value);
    if (!std::all_of(scales.begin(), scales.end(), is_usable_noise_var))
        return false;
    for (const float scale : scales)
        d_row_scale.push_back(1.0f / std::sqrt(scale));
    return true;
}

/*! Scales the rows of \p count vectors; without scales it returns them as they are. */
const gr_complex* mimo_detector_impl::whiten(const gr_complex* y, int count)
{
    if (d_row_scale.empty())
        return y;
    for (int i = 0; i < count; i++)
        for (int r = 0; r < d_n_rx; r++)
            d_white[static_cast<size_t>(i) * d_n_rx + r] =
                d_row_scale[r] * y[static_cast<size_t>(i) * d_n_rx + r];
    return d_white.data();
}

void mimo_detector_impl::load_channel()
{
    if (d_phases.is_set())
        d_phases.turn(d_channel.data(), d_row_scale, d_block.noise_var, d_turned.data());
    d_detector->set_channel(d_phases.is_set() ? d_turned.data() : d_channel.data(),
                            d_block.noise_var);
    d_is_channel_loaded = true;
}

/*! Phases that a tag tells are in force from here on. */
void mimo_detector_impl::read_phases(const tag_t& tag)
{
    const std::string fault = d_phases.read(tag);
    if (!fault.empty())
        d_logger->warn("{}; what was in force before stays", fault);
    d_is_channel_loaded = false;
}

void mimo_detector_impl::read_phases_at(int index)
{
    for (const auto& tag : d_vector_tags)
        if (tag.offset == nitems_read(1) + index && user_phases::is_one(tag.key))
            read_phases(tag);
}

/*! Phases among vectors that are not detected hold on for those behind. */
void mimo_detector_impl::pass_by_phases(int first, int count)
{
    get_tags_in_window(d_vector_tags, 1, first, first + count);
    for (const auto& tag : d_vector_tags)
        if (user_phases::is_one(tag.key))
            read_phases(tag);
}

void mimo_detector_impl::detect_vectors(
    const gr_complex* y, int first_in, int first_out, int count, const outputs& out)
{
    mark_faults(y, first_in, count);
    for (int begin = 0, end; begin < count; begin = end) {
        if (d_has_phases[begin])
            read_phases_at(first_in + begin);
        end = begin + 1;
        while (end < count && !d_faults[end] == !d_faults[begin] && !d_has_phases[end])
            end++;
        if (!d_faults[begin])
            detect_run(y, begin, end, out);
    }
    for (int i = 0; i < count; i++)
        if (d_faults[i])
            skip_vector(i, out);
    tag_vectors(first_in, first_out, count);
}

void mimo_detector_impl::mark_faults(const gr_complex* y, int first, int count)
{
    std::fill_n(d_faults.begin(), count, d_block.fault);
    std::fill_n(d_tagged_skipped.begin(), count, false);
    std::fill_n(d_has_phases.begin(), count, false);
    get_tags_in_window(d_vector_tags, 1, first, first + count);
    for (const auto& tag : d_vector_tags) {
        const size_t i = tag.offset - nitems_read(1) - first;
        if (tag.key == tags::skipped()) {
            d_faults[i] = tag.value;
            d_tagged_skipped[i] = true;
        } else if (user_phases::is_one(tag.key)) {
            d_has_phases[i] = true;
        }
    }
    for (int i = 0; i < count; i++)
        if (!d_faults[i] &&
            !(item_energy(y + static_cast<size_t>(i) * d_n_rx, d_n_rx) < largest_item_energy))
            d_faults[i] = skip_reason::nan();
}

void mimo_detector_impl::detect_run(const gr_complex* y, int begin, int end, const outputs& out)
{
    using clock = std::chrono::steady_clock;
    const auto begun = clock::now();
    const auto to = advance(out, begin);
    const int count = end - begin;
    try {
        if (!d_is_channel_loaded)
            load_channel();
        d_detector->detect(whiten(y + static_cast<size_t>(begin) * d_n_rx, count),
                           count,
                           to.symbols,
                           to.llr,
                           to.x_hat,
                           to.variance);
    } catch (const std::exception& error) {
        d_logger->warn("{}: vectors skipped: {}", d_algorithm, error.what());
        std::fill(d_faults.begin() + begin, d_faults.begin() + end, skip_reason::diverged());
        return;
    }
    d_block.latency_us += std::chrono::duration<double, std::micro>(clock::now() - begun).count();
    d_detected += count;
    if (count > d_largest_batch)
        d_largest_batch = count;
    if (to.posterior)
        find_posterior(count, to);
}

void mimo_detector_impl::find_posterior(int count, const outputs& to)
{
    const auto& points = constellation_points(d_constellation);
    for (int i = 0; i < count * d_n_tx; i++)
        to.posterior[i] =
            to.symbols[i] < 0 ? 0.0f : posterior_variance(points, to.x_hat[i], to.variance[i]);
}

void mimo_detector_impl::skip_vector(int index, const outputs& out)
{
    const auto to = advance(out, index);
    std::fill_n(to.symbols, d_n_tx, -1);
    if (to.llr)
        std::fill_n(to.llr, d_n_tx * d_bits, 0.0f);
    if (to.x_hat)
        std::fill_n(to.x_hat, d_n_tx, gr_complex(0));
    if (to.variance)
        std::fill_n(to.variance, d_n_tx, 1.0f);
    if (to.posterior)
        std::fill_n(to.posterior, d_n_tx, 1.0f);
    d_block.skipped++;
    d_skipped++;
}

void mimo_detector_impl::tag_vectors(int first_in, int first_out, int count)
{
    const uint64_t offset_in = nitems_read(1) + first_in;
    for (const auto& tag : d_vector_tags)
        add_output_tag(first_out + static_cast<int>(tag.offset - offset_in), tag.key, tag.value);
    // Frame numbers come on both inputs: once is enough.
    for (const auto& tag : d_block_tags) {
        const bool is_there =
            std::any_of(d_vector_tags.begin(), d_vector_tags.end(), [&](const auto& other) {
                return other.key == tag.key && other.offset == offset_in;
            });
        if (!is_there && tag.key != tags::skipped())
            add_output_tag(first_out, tag.key, tag.value);
    }
    d_block_tags.clear();
    for (int i = 0; i < count; i++)
        if (d_faults[i] && !d_tagged_skipped[i])
            add_output_tag(first_out + i, tags::skipped(), d_faults[i]);
}

void mimo_detector_impl::add_output_tag(int index, const pmt::pmt_t& key, const pmt::pmt_t& value)
{
    for (int output = 0; output < d_n_outputs; output++)
        add_item_tag(output, nitems_written(output) + index, key, value);
}

void mimo_detector_impl::report_block()
{
    if (pmt::is_null(message_subscribers(ports::report())))
        return;
    auto dict = pmt::dict_add(pmt::make_dict(), keys::algorithm(), pmt::mp(d_algorithm));
    if (d_block.frame)
        dict = pmt::dict_add(dict, keys::frame(), d_block.frame);
    dict = pmt::dict_add(dict, keys::noise_var(), pmt::from_double(d_block.noise_var));
    dict = pmt::dict_add(dict, pmt::mp("users"), pmt::from_long(d_block.users));
    dict = pmt::dict_add(dict, pmt::mp("vectors"), pmt::from_long(d_n_symbols));
    dict = pmt::dict_add(dict, keys::skipped(), pmt::from_long(d_block.skipped));
    dict = pmt::dict_add(dict, keys::latency_us(), pmt::from_double(d_block.latency_us));
    message_port_pub(ports::report(), dict);
}

mimo_detector_impl::outputs mimo_detector_impl::outputs_at(gr_vector_void_star& output_items,
                                                           int first) const
{
    const auto pointer = [&](size_t index) {
        return index < output_items.size() ? output_items[index] : nullptr;
    };
    return advance({ static_cast<int32_t*>(pointer(0)),
                     static_cast<float*>(pointer(1)),
                     static_cast<gr_complex*>(pointer(2)),
                     static_cast<float*>(pointer(3)),
                     static_cast<float*>(pointer(4)) },
                   first);
}

mimo_detector_impl::outputs mimo_detector_impl::advance(const outputs& out, int vectors) const
{
    const auto move = [](auto* pointer, size_t by) { return pointer ? pointer + by : nullptr; };
    const size_t users = static_cast<size_t>(vectors) * d_n_tx;
    return { move(out.symbols, users),
             move(out.llr, users * d_bits),
             move(out.x_hat, users),
             move(out.variance, users),
             move(out.posterior, users) };
}

} // namespace thzum
} // namespace gr
