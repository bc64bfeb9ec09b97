/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "block_arguments.h"
#include "channel_estimator_impl.h"
#include "control_message.h"
#include "estimate_message.h"
#include "frame_tags.h"
#include "item_check.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

const char* const block_name = "channel_estimator";
constexpr int largest_allowed_batch = 4096;
constexpr int most_paths = 64; // of one item, in a message
constexpr int most_users = 4096;

int checked_batch(int batch)
{
    if (batch < 1 || batch > largest_allowed_batch)
        throw std::invalid_argument(
            std::string(block_name) + ": batch expects an integer from 1 to " +
            std::to_string(largest_allowed_batch) + ", got " + std::to_string(batch));
    return batch;
}

int checked_users(int users)
{
    if (users < 0 || users > most_users)
        throw std::invalid_argument(std::string(block_name) +
                                    ": tracked_users expects an integer from 0 to " +
                                    std::to_string(most_users) + ", got " + std::to_string(users));
    return users;
}

} // namespace

channel_estimator::sptr channel_estimator::make(pilot_operator::sptr op,
                                                const std::string& algorithm,
                                                const option_map& options,
                                                double noise_var,
                                                int batch,
                                                const option_map& array_options,
                                                int tracked_users)
{
    return gnuradio::make_block_sptr<channel_estimator_impl>(
        checked_operator(block_name, op)->clone(),
        algorithm,
        options,
        checked_noise_var(block_name, noise_var),
        checked_batch(batch),
        array_options,
        checked_users(tracked_users));
}

channel_estimator_impl::channel_estimator_impl(pilot_operator::sptr op,
                                               const std::string& algorithm,
                                               const option_map& options,
                                               double noise_var,
                                               int batch,
                                               const option_map& array_options,
                                               int tracked_users)
    : gr::sync_block(block_name,
                     gr::io_signature::make(1, 1, op->n_observations() * sizeof(gr_complex)),
                     gr::io_signature::make(1, 1, op->shape().antennas() * sizeof(gr_complex))),
      d_op(op),
      d_batch(batch),
      d_array_options(array_options),
      d_tracked_users(tracked_users),
      d_n_observations(op->n_observations()),
      d_n_antennas(op->shape().antennas()),
      d_op_in_use(op),
      d_fixed_noise_var(noise_var),
      d_items(batch),
      d_noise_vars(batch),
      d_streams(batch),
      d_reports(batch),
      d_latencies(batch),
      d_paths(most_paths)
{
    channel_estimator_impl::set_algorithm(algorithm, options);
    // Incoming tags are forwarded in finish(): thzum_noise_var is replaced by the value in use.
    set_tag_propagation_policy(TPP_DONT);
    // Makes the scheduler allocate room for two batches before and behind the block; start() takes
    // the constraint back, so that items never wait for a full one.
    set_output_multiple(batch);
    message_port_register_out(ports::report());
    message_port_register_out(ports::paths());
    message_port_register_in(ports::control());
    set_msg_handler(ports::control(), [this](const pmt::pmt_t& msg) { handle_control(msg); });
}

bool channel_estimator_impl::start()
{
    set_output_multiple(1);
    return block::start();
}

bool channel_estimator_impl::stop()
{
    set_output_multiple(d_batch);
    return block::stop();
}

estimator::sptr channel_estimator_impl::build(const std::string& name,
                                              option_map options,
                                              const pilot_operator::sptr& op) const
{
    if (takes_option(estimators(), name, "max_batch"))
        options.emplace("max_batch", static_cast<double>(d_batch));
    for (const auto& [option, value] : d_array_options)
        if (takes_option(estimators(), name, option))
            options.emplace(option, value);
    // Operators keep scratch memory, and the estimator in use may be running on its own.
    return make_estimator(name, op->clone(), options);
}

void channel_estimator_impl::set_algorithm(const std::string& name, const option_map& options)
{
    std::lock_guard<std::mutex> one_change(d_build_mutex);
    change(name, options, d_op_in_use);
}

void channel_estimator_impl::set_mask(const std::vector<uint8_t>& mask)
{
    std::lock_guard<std::mutex> one_change(d_build_mutex);
    change(d_algorithm, d_options, masked(mask));
}

std::vector<uint8_t> channel_estimator_impl::mask() const
{
    std::lock_guard<std::mutex> one_change(d_build_mutex);
    return d_op_in_use->mask();
}

pilot_operator::sptr channel_estimator_impl::masked(const std::vector<uint8_t>& mask) const
{
    return mask.empty() ? d_op : d_op->with_mask(mask);
}

// d_algorithm and d_options change under both mutexes, so either one is enough to read them.
void channel_estimator_impl::change(const std::string& name,
                                    const option_map& options,
                                    const pilot_operator::sptr& op)
{
    auto built = build(name, options, op);
    auto tracker = d_tracked_users > 0 ? tracking_estimator::make(built, d_tracked_users) : nullptr;
    const auto symbol = pmt::mp(name);
    d_op_in_use = op;
    std::lock_guard<std::mutex> swap(d_mutex);
    d_estimator.swap(built);
    d_tracker.swap(tracker);
    d_algorithm = name;
    d_algorithm_symbol = symbol;
    d_options = options;
    d_is_warned = false;
}

void channel_estimator_impl::set_noise_var(double noise_var)
{
    d_fixed_noise_var = checked_noise_var(block_name, noise_var);
}

std::string channel_estimator_impl::algorithm() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_algorithm;
}

std::string channel_estimator_impl::settings() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_estimator->repr();
}

void channel_estimator_impl::handle_control(const pmt::pmt_t& message)
{
    try {
        apply_control(message);
    } catch (const std::exception& error) {
        d_logger->warn("control message dropped: {}", error.what());
    }
}

void channel_estimator_impl::apply_control(const pmt::pmt_t& message)
{
    auto rest = pmt::make_dict();
    std::optional<pilot_operator::sptr> op;
    for (const auto& [key, value] : control_entries(message))
        if (key == "mask")
            op = masked(control_mask(value));
        else
            rest = pmt::dict_add(rest, pmt::mp(key), value);
    algorithm_control control = { false, {}, {}, d_fixed_noise_var };
    if (!pmt::is_null(rest))
        control = read_algorithm_control(rest, block_name, algorithm(), d_fixed_noise_var);
    std::lock_guard<std::mutex> one_change(d_build_mutex);
    if (control.is_new_algorithm)
        change(control.algorithm, control.options, op.value_or(d_op_in_use));
    else if (op)
        change(d_algorithm, d_options, *op);
    d_fixed_noise_var = control.noise_var;
}

int channel_estimator_impl::work(int noutput_items,
                                 gr_vector_const_void_star& input_items,
                                 gr_vector_void_star& output_items)
{
    const auto* y = static_cast<const gr_complex*>(input_items[0]);
    auto* h = static_cast<gr_complex*>(output_items[0]);
    for (int first = 0; first < noutput_items; first += d_batch) {
        const int count = std::min(d_batch, noutput_items - first);
        std::lock_guard<std::mutex> lock(d_mutex);
        process(y + static_cast<size_t>(first) * d_n_observations,
                first,
                count,
                h + static_cast<size_t>(first) * d_n_antennas);
        finish(first, count);
    }
    return noutput_items;
}

void channel_estimator_impl::process(const gr_complex* y, int first, int count, gr_complex* h)
{
    read_items(y, first, count);
    // Neighbours that can share a call do; nothing is copied.
    for (int begin = 0, end; begin < count; begin = end) {
        const auto& head = d_items[begin];
        end = begin + 1;
        while (end < count && !d_items[end].fault == !head.fault &&
               d_items[end].has_noise_var == head.has_noise_var && !is_repeated(begin, end))
            end++;
        if (!head.fault)
            estimate_run(y, begin, end, h);
    }
    for (int i = 0; i < count; i++)
        if (d_items[i].fault)
            std::fill_n(h + static_cast<size_t>(i) * d_n_antennas, d_n_antennas, gr_complex(0));
}

void channel_estimator_impl::read_items(const gr_complex* y, int first, int count)
{
    std::fill_n(d_items.begin(), count, item());
    get_tags_in_window(d_tags, 0, first, first + count);
    for (const auto& tag : d_tags)
        d_items[tag.offset - nitems_read(0) - first].tags.read(tag);
    const double fixed = d_fixed_noise_var;
    for (int i = 0; i < count; i++) {
        auto& item = d_items[i];
        const double noise_var = fixed > 0.0 ? fixed : item.tags.noise_var;
        item.has_noise_var = fixed > 0.0 || item.tags.has_noise_var;
        item.stream = stream_of(item.tags);
        item.fault = item.tags.skipped;
        if (!item.fault)
            item.fault =
                item_fault(y + static_cast<size_t>(i) * d_n_observations, d_n_observations);
        if (!item.fault && item.has_noise_var && !is_usable_noise_var(noise_var))
            item.fault = skip_reason::noise_var();
        d_noise_vars[i] = static_cast<float>(noise_var);
    }
}

int channel_estimator_impl::stream_of(const item_tags& tags) const
{
    if (!tags.user || !pmt::is_integer(tags.user))
        return -1;
    const long user = pmt::to_long(tags.user);
    return user >= 0 && user < d_tracked_users ? static_cast<int>(user) : -1;
}

// The estimator keeps the paths of the items of one call, and a user's next frame needs another.
bool channel_estimator_impl::is_repeated(int begin, int end) const
{
    const int stream = d_items[end].stream;
    return stream >= 0 && std::any_of(d_items.begin() + begin,
                                      d_items.begin() + end,
                                      [stream](const item& i) { return i.stream == stream; });
}

void channel_estimator_impl::run_estimator(const gr_complex* y, int begin, int count, gr_complex* h)
{
    const float* noise_var = d_items[begin].has_noise_var ? &d_noise_vars[begin] : nullptr;
    if (!d_tracker) {
        d_estimator->estimate(y, noise_var, count, h, &d_reports[begin]);
        return;
    }
    for (int i = 0; i < count; i++)
        d_streams[i] = d_items[begin + i].stream;
    d_tracker->estimate(y, noise_var, d_streams.data(), count, h, &d_reports[begin]);
}

void channel_estimator_impl::estimate_run(const gr_complex* y, int begin, int end, gr_complex* h)
{
    using clock = std::chrono::steady_clock;
    const int count = end - begin;
    auto* const h_run = h + static_cast<size_t>(begin) * d_n_antennas;
    const auto begun = clock::now();
    try {
        run_estimator(y + static_cast<size_t>(begin) * d_n_observations, begin, count, h_run);
    } catch (const std::exception& error) {
        if (!d_is_warned)
            d_logger->warn("{}: items skipped: {}", d_algorithm, error.what());
        d_is_warned = true;
        for (int i = begin; i < end; i++)
            d_items[i].fault =
                d_items[i].has_noise_var ? skip_reason::diverged() : skip_reason::no_noise_var();
        return;
    }
    const double latency = std::chrono::duration<double, std::micro>(clock::now() - begun).count();
    for (int i = begin; i < end; i++) {
        d_latencies[i] = latency;
        if (!std::isfinite(item_energy(h + static_cast<size_t>(i) * d_n_antennas, d_n_antennas)))
            d_items[i].fault = skip_reason::diverged();
    }
    if (count > d_largest_batch)
        d_largest_batch = count;
    if (!pmt::is_null(message_subscribers(ports::paths())))
        for (int i = begin; i < end; i++)
            if (!d_items[i].fault)
                publish_paths(i, i - begin);
}

void channel_estimator_impl::publish_paths(int index, int item)
{
    const int count = d_estimator->paths(item, d_paths.data(), most_paths);
    if (count == 0)
        return;
    const auto column = [&](auto value, const auto& member) {
        std::vector<decltype(value)> values(count);
        std::transform(d_paths.begin(), d_paths.begin() + count, values.begin(), member);
        return values;
    };
    const auto reals = [&](const auto& member) {
        const auto values = column(0.0f, member);
        return pmt::init_f32vector(count, values.data());
    };
    const auto gains = column(gr_complex(), [](const path_estimate& p) { return p.gain; });
    const auto& tags = d_items[index].tags;
    auto dict = with_tag(pmt::make_dict(), keys::frame(), tags.frame);
    dict = with_tag(dict, keys::user(), tags.user);
    dict = pmt::dict_add(dict, pmt::mp("ux"), reals([](const path_estimate& p) { return p.ux; }));
    dict = pmt::dict_add(dict, pmt::mp("uy"), reals([](const path_estimate& p) { return p.uy; }));
    dict = pmt::dict_add(
        dict, pmt::mp("distance"), reals([](const path_estimate& p) { return p.distance; }));
    dict = pmt::dict_add(
        dict, pmt::mp("power"), reals([](const path_estimate& p) { return p.power; }));
    dict = pmt::dict_add(dict, pmt::mp("gain"), pmt::init_c32vector(count, gains.data()));
    message_port_pub(ports::paths(), dict);
}

void channel_estimator_impl::finish(int first, int count)
{
    for (const auto& tag : d_tags)
        if (tag.key != tags::noise_var() || d_items[tag.offset - nitems_read(0) - first].fault)
            add_item_tag(0, tag);
    const bool has_listener = !pmt::is_null(message_subscribers(ports::report()));
    for (int i = 0; i < count; i++) {
        ++(d_items[i].fault ? d_skipped : d_estimates);
        tag_item(nitems_written(0) + first + i, i);
        if (has_listener)
            report_item(i);
    }
}

void channel_estimator_impl::tag_item(uint64_t offset, int index)
{
    const auto& item = d_items[index];
    if (item.fault) {
        if (!item.tags.skipped)
            add_item_tag(0, offset, tags::skipped(), item.fault);
        return;
    }
    for (const auto& [key, value] : estimate_tags(d_reports[index]))
        add_item_tag(0, offset, key, value);
}

void channel_estimator_impl::report_item(int index)
{
    const auto& item = d_items[index];
    const auto& report = d_reports[index];
    auto dict = estimate_message(
        d_algorithm_symbol, item.tags, item.fault, report, d_latencies[index]);
    if (!item.fault && d_tracked_users > 0) {
        dict = pmt::dict_add(dict, keys::steps(), pmt::from_long(report.steps));
        dict = pmt::dict_add(dict, keys::steps_saved(), pmt::from_long(report.steps_saved));
    }
    message_port_pub(ports::report(), dict);
}

} // namespace thzum
} // namespace gr
