/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "frame_tags.h"
#include "pilot_receiver_impl.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace gr {
namespace thzum {

namespace {

constexpr int tagged_users = 63; // a long of a tag holds a bit for each

const pmt::pmt_t users_entry = pmt::mp("users");
const pmt::pmt_t power_entry = pmt::mp("power_db");
const pmt::pmt_t unscheduled = pmt::mp("unscheduled");
const pmt::pmt_t cut_short = pmt::mp("cut short");
const pmt::pmt_t bad_samples = pmt::mp("bad samples");

} // namespace

pilot_receiver::sptr pilot_receiver::make(int n_chains,
                                          int n_noise,
                                          int n_slots,
                                          int n_users,
                                          int n_data,
                                          const std::vector<gr_complex>& sequences,
                                          double row_energy)
{
    // The frame checks the sizes before the ports are declared by them.
    pilot_frame frame({ n_chains, n_noise, n_slots, n_users, n_data }, sequences);
    if (!(std::isfinite(row_energy) && row_energy > 0.0))
        throw std::invalid_argument(
            "pilot_receiver: row_energy: expected a finite number > 0, got " +
            std::to_string(row_energy));
    return gnuradio::make_block_sptr<pilot_receiver_impl>(std::move(frame), row_energy);
}

pilot_receiver_impl::pilot_receiver_impl(pilot_frame frame, double row_energy)
    : gr::block("pilot_receiver",
                gr::io_signature::make(
                    frame.layout().n_chains, frame.layout().n_chains, sizeof(gr_complex)),
                gr::io_signature::make2(1,
                                        2,
                                        frame.n_observations() * sizeof(gr_complex),
                                        frame.layout().n_chains * sizeof(gr_complex))),
      d_frame(std::move(frame)),
      d_row_energy(row_energy),
      d_next_user(d_frame.layout().n_users),
      d_next_data(d_frame.layout().n_data),
      d_user_phases(d_frame.layout().n_data),
      d_samples(d_frame.layout().n_chains)
{
    set_tag_propagation_policy(TPP_DONT);
    // Room for a frame on both outputs: what one of them still waits for never holds back the
    // other.
    set_min_output_buffer(0, 2 * d_frame.layout().n_users);
    set_min_output_buffer(1, 2 * std::max(d_frame.layout().n_data, 1));
    message_port_register_out(ports::report());
}

bool pilot_receiver_impl::start()
{
    d_in_frame = false;
    d_next_user = d_frame.layout().n_users;
    d_next_data = d_frame.layout().n_data;
    return block::start();
}

bool pilot_receiver_impl::stop()
{
    if (d_in_frame) {
        d_logger->info("the stream stopped within a frame, after {} of {} samples",
                       d_frame.filled(),
                       d_frame.n_samples());
        d_lost_frames++;
        d_in_frame = false;
    }
    return block::stop();
}

bool pilot_receiver_impl::is_draining() const
{
    return d_next_user < d_frame.layout().n_users || d_next_data < d_frame.layout().n_data;
}

void pilot_receiver_impl::forecast(int, gr_vector_int& ninput_items_required)
{
    // A frame that still waits for room goes out without further input, at the end of a stream too.
    std::fill(ninput_items_required.begin(), ninput_items_required.end(), is_draining() ? 0 : 1);
}

int pilot_receiver_impl::general_work(int noutput_items,
                                      gr_vector_int& ninput_items,
                                      gr_vector_const_void_star& input_items,
                                      gr_vector_void_star& output_items)
{
    const bool has_data_port = output_items.size() > 1;
    d_y = { static_cast<gr_complex*>(output_items[0]), noutput_items, 0 };
    d_data = { has_data_port ? static_cast<gr_complex*>(output_items[1]) : nullptr,
               noutput_items,
               0 };
    for (size_t s = 0; s < d_samples.size(); s++)
        d_samples[s] = static_cast<const gr_complex*>(input_items[s]);
    const int available = *std::min_element(ninput_items.begin(), ninput_items.end());

    drain();
    int consumed = 0;
    while (!is_draining() && consumed < available) {
        const int taken = collect(d_samples.data(), available - consumed);
        consume_each(taken);
        consumed += taken;
        for (auto& samples : d_samples)
            samples += taken;
        drain();
    }
    produce(0, d_y.produced);
    if (has_data_port)
        produce(1, d_data.produced);
    return WORK_CALLED_PRODUCE;
}

// Takes samples up to the end of the frame or to the next frame tag, whichever comes first.
int pilot_receiver_impl::collect(const gr_complex* const* samples, int count)
{
    const bool found = find_frame_tag(count);
    int at = found ? int(d_frame_tag.offset - nitems_read(0)) : count;
    if (d_in_frame && !(found && at == 0)) {
        const int before = d_frame.filled();
        at = d_frame.collect(samples, 0, at);
        find_data_tags(before, at);
        if (d_frame.is_complete())
            end_frame(d_frame.despread() ? nullptr : bad_samples);
        return at;
    }
    if (d_in_frame) {
        end_frame(cut_short);
        return 0;
    }
    if (found && at == 0) {
        begin_frame(d_frame_tag);
        return d_frame.collect(samples, 0, 1);
    }
    return at;
}

bool pilot_receiver_impl::find_frame_tag(int count)
{
    get_tags_in_window(d_tags, 0, 0, count, tags::frame());
    const auto first =
        std::min_element(d_tags.begin(), d_tags.end(), [](const tag_t& a, const tag_t& b) {
            return a.offset < b.offset;
        });
    if (first == d_tags.end())
        return false;
    d_frame_tag = *first;
    return true;
}

// Tags among the next count samples, the frame's from number first on, that belong to its data.
void pilot_receiver_impl::find_data_tags(int first, int count)
{
    const int data = d_frame.n_samples() - d_frame.layout().n_data;
    const int skipped = std::max(data - first, 0);
    if (skipped >= count)
        return;
    get_tags_in_window(d_tags, 0, skipped, count);
    for (const auto& tag : d_tags) {
        const size_t index = size_t(tag.offset - nitems_read(0)) + first - data;
        if (tag.key == tags::user_phase())
            d_user_phases[index] = tag.value;
        else if (tag.key == tags::user_reference() && index == 0)
            d_facts.user_reference = tag.value;
    }
}

void pilot_receiver_impl::begin_frame(const tag_t& tag)
{
    if (!pmt::is_integer(tag.value)) {
        d_logger->warn("thzum_frame: expected an integer, got {}; counting on from {}",
                       pmt::write_string(tag.value),
                       d_next_number);
        d_facts.number = pmt::from_long(d_next_number);
    } else {
        d_facts.number = tag.value;
    }
    d_next_number = pmt::to_long(d_facts.number) + 1;
    d_facts.users = d_facts.beams = d_facts.user_reference = d_facts.fault = nullptr;
    d_facts.user_mask = ~uint64_t(0);
    get_tags_in_range(d_tags, 0, tag.offset, tag.offset + 1);
    for (const auto& other : d_tags) {
        if (other.key == tags::beams())
            d_facts.beams = other.value;
        if (other.key == tags::users() && pmt::is_integer(other.value)) {
            d_facts.users = other.value;
            d_facts.user_mask = uint64_t(pmt::to_long(other.value));
        } else if (other.key == tags::users()) {
            d_logger->warn("thzum_users: expected an integer, got {}; all users are taken as "
                           "scheduled",
                           pmt::write_string(other.value));
        }
    }
    std::fill(d_user_phases.begin(), d_user_phases.end(), nullptr);
    d_frame.restart();
    d_in_frame = true;
}

void pilot_receiver_impl::end_frame(const pmt::pmt_t& fault)
{
    d_in_frame = false;
    d_facts.fault = fault;
    d_frames++;
    if (fault)
        d_lost_frames++;
    d_next_user = 0;
    d_next_data = 0;
    report_frame();
}

bool pilot_receiver_impl::is_scheduled(int user) const
{
    return user >= tagged_users || ((d_facts.user_mask >> user) & 1);
}

void pilot_receiver_impl::drain()
{
    while (d_next_user < d_frame.layout().n_users && d_y.produced < d_y.room)
        put_observations(d_next_user++);
    if (!d_data.items)
        d_next_data = d_frame.layout().n_data;
    while (d_next_data < d_frame.layout().n_data && d_data.produced < d_data.room)
        put_data(d_next_data++);
}

void pilot_receiver_impl::put_observations(int user)
{
    const int size = d_frame.n_observations();
    const uint64_t offset = nitems_written(0) + d_y.produced;
    gr_complex* item = d_y.items + size_t(d_y.produced++) * size;
    add_item_tag(0, offset, tags::frame(), d_facts.number);
    add_item_tag(0, offset, tags::user(), pmt::from_long(user));
    if (!d_facts.fault)
        add_item_tag(
            0, offset, tags::noise_var(), pmt::from_double(d_frame.noise_var() / d_row_energy));
    if (user == 0)
        tag_first(0, offset);
    if (!d_facts.fault && is_scheduled(user)) {
        std::copy_n(d_frame.observations(user), size, item);
        return;
    }
    std::fill_n(item, size, gr_complex(0));
    add_item_tag(0, offset, tags::skipped(), d_facts.fault ? d_facts.fault : unscheduled);
    d_skipped_items++;
}

void pilot_receiver_impl::put_data(int index)
{
    const int size = d_frame.layout().n_chains;
    const uint64_t offset = nitems_written(1) + d_data.produced;
    gr_complex* item = d_data.items + size_t(d_data.produced++) * size;
    if (index == 0) {
        add_item_tag(1, offset, tags::frame(), d_facts.number);
        if (!d_facts.fault)
            add_item_tag(1,
                         offset,
                         tags::noise_var(),
                         pmt::from_double(d_frame.sample_noise_var() / d_row_energy));
        tag_first(1, offset);
        if (d_facts.user_reference)
            add_item_tag(1, offset, tags::user_reference(), d_facts.user_reference);
    }
    if (d_user_phases[index])
        add_item_tag(1, offset, tags::user_phase(), d_user_phases[index]);
    if (!d_facts.fault && d_frame.data_is_finite(index)) {
        std::copy_n(d_frame.data(index), size, item);
        return;
    }
    std::fill_n(item, size, gr_complex(0));
    add_item_tag(1, offset, tags::skipped(), d_facts.fault ? d_facts.fault : bad_samples);
    d_skipped_items++;
}

void pilot_receiver_impl::tag_first(int port, uint64_t offset)
{
    if (d_facts.beams)
        add_item_tag(port, offset, tags::beams(), d_facts.beams);
    if (d_facts.users)
        add_item_tag(port, offset, tags::users(), d_facts.users);
}

void pilot_receiver_impl::report_frame()
{
    if (pmt::is_null(message_subscribers(ports::report())))
        return;
    const int users = std::min(d_frame.layout().n_users, tagged_users);
    const uint64_t in_range = (uint64_t(1) << users) - 1;
    auto dict = pmt::dict_add(pmt::make_dict(), keys::frame(), d_facts.number);
    dict = pmt::dict_add(dict, users_entry, pmt::from_long(long(d_facts.user_mask & in_range)));
    if (d_facts.fault) {
        dict = pmt::dict_add(dict, keys::skipped(), d_facts.fault);
    } else {
        dict = pmt::dict_add(
            dict, keys::noise_var(), pmt::from_double(d_frame.noise_var() / d_row_energy));
        dict = pmt::dict_add(
            dict, power_entry, pmt::from_double(10.0 * std::log10(d_frame.pilot_power())));
    }
    message_port_pub(ports::report(), dict);
}

} // namespace thzum
} // namespace gr
