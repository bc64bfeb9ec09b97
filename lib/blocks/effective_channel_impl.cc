/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "block_arguments.h"
#include "control_message.h"
#include "effective_channel_impl.h"
#include "frame_tags.h"
#include "item_check.h"
#include <gnuradio/io_signature.h>
#include <volk/volk.h>
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

const pmt::pmt_t& bad_beams()
{
    static const pmt::pmt_t symbol = pmt::mp("beams");
    return symbol;
}

void check_sizes(int n_subarrays, int n_antennas, int n_users)
{
    at_least_one("effective_channel", "n_subarrays", n_subarrays);
    at_least_one("effective_channel", "n_antennas", n_antennas);
    at_least_one("effective_channel", "n_users", n_users);
}

void check_codebook(const std::vector<gr_complex>& codebook, int n_antennas)
{
    if (codebook.empty() || codebook.size() % n_antennas != 0)
        throw std::invalid_argument("effective_channel: codebook expects rows of n_antennas = " +
                                    std::to_string(n_antennas) + " values, got " +
                                    std::to_string(codebook.size()) + " values in all");
    for (size_t at = 0; at < codebook.size(); at += n_antennas) {
        const double energy = item_energy(&codebook[at], n_antennas);
        if (!(energy > smallest_item_energy && energy < largest_item_energy))
            throw std::invalid_argument(
                "effective_channel: codebook expects finite rows other than zero, got one of "
                "energy " +
                std::to_string(energy) + " in row " + std::to_string(at / n_antennas));
    }
}

const std::string& checked_combiner(const std::string& combiner)
{
    for (const char* known : { "codebook", "dft", "matched", "svd" })
        if (combiner == known)
            return combiner;
    throw std::invalid_argument(
        "effective_channel: combiner expects 'codebook', 'dft', 'matched' or 'svd', got '" +
        combiner + "'");
}

double checked_noise_scale(double noise_scale, int n_users)
{
    if (!(noise_scale >= 0.0) || !std::isfinite(noise_scale))
        throw std::invalid_argument(
            "effective_channel: noise_scale expects a positive number, or 0 "
            "for n_users, got " +
            std::to_string(noise_scale));
    return noise_scale > 0.0 ? noise_scale : n_users;
}

/*! Indices of a thzum_beams tag; empty when it is of another type. */
std::vector<int> beam_indices(const pmt::pmt_t& value)
{
    if (pmt::is_u8vector(value)) {
        const auto elements = pmt::u8vector_elements(value);
        return { elements.begin(), elements.end() };
    }
    if (pmt::is_s32vector(value)) {
        const auto elements = pmt::s32vector_elements(value);
        return { elements.begin(), elements.end() };
    }
    return {};
}

/*! False for this module's tags about one user, such as the iterations of his estimate. */
bool is_of_frame(const pmt::pmt_t& key)
{
    return key == tags::frame() || pmt::symbol_to_string(key).rfind("thzum_", 0) != 0;
}

} // namespace

effective_channel::sptr effective_channel::make(int n_subarrays,
                                                int n_antennas,
                                                int n_users,
                                                const std::vector<gr_complex>& codebook,
                                                const std::vector<int>& beams,
                                                double noise_scale,
                                                const std::string& combiner)
{
    check_sizes(n_subarrays, n_antennas, n_users);
    check_codebook(codebook, n_antennas);
    return gnuradio::make_block_sptr<effective_channel_impl>(
        n_subarrays,
        n_antennas,
        n_users,
        codebook,
        beams,
        checked_noise_scale(noise_scale, n_users),
        checked_combiner(combiner));
}

effective_channel_impl::effective_channel_impl(int n_subarrays,
                                               int n_antennas,
                                               int n_users,
                                               const std::vector<gr_complex>& codebook,
                                               const std::vector<int>& beams,
                                               double noise_scale,
                                               const std::string& combiner)
    : gr::sync_decimator(
          "effective_channel",
          gr::io_signature::make(1, 1, n_subarrays * n_antennas * sizeof(gr_complex)),
          gr::io_signature::make2(1,
                                  2,
                                  n_subarrays * n_users * sizeof(gr_complex),
                                  n_subarrays * n_antennas * sizeof(gr_complex)),
          n_users),
      d_n_subarrays(n_subarrays),
      d_n_antennas(n_antennas),
      d_n_users(n_users),
      d_n_beams(static_cast<int>(codebook.size()) / n_antennas),
      d_noise_scale(noise_scale),
      d_codebook(codebook),
      d_combiner(combiner),
      d_choice(n_subarrays, n_antennas, n_users),
      d_frame_beams(n_subarrays),
      d_rows(static_cast<size_t>(n_subarrays) * n_antennas),
      d_row_norms(n_subarrays),
      d_present(static_cast<size_t>(n_users) * n_subarrays * n_antennas),
      d_user_faults(n_users)
{
    effective_channel_impl::set_beams(beams);
    message_port_register_out(ports::combiner());
    // Tags of a frame's items are merged in pass_tags().
    set_tag_propagation_policy(TPP_DONT);
}

void effective_channel_impl::check_beams(const std::vector<int>& beams) const
{
    const auto is_outside = [this](int beam) { return beam < 0 || beam >= d_n_beams; };
    if (static_cast<int>(beams.size()) != d_n_subarrays)
        throw std::invalid_argument(
            "effective_channel: beams expects n_subarrays = " + std::to_string(d_n_subarrays) +
            " indices, got " + std::to_string(beams.size()));
    const auto outside = std::find_if(beams.begin(), beams.end(), is_outside);
    if (outside != beams.end())
        throw std::invalid_argument("effective_channel: beams expects codebook rows 0 to " +
                                    std::to_string(d_n_beams - 1) + ", got " +
                                    std::to_string(*outside));
}

void effective_channel_impl::set_beams(const std::vector<int>& beams)
{
    const auto chosen = beams.empty() ? std::vector<int>(d_n_subarrays, 0) : beams;
    check_beams(chosen);
    std::lock_guard<std::mutex> lock(d_mutex);
    d_beams = chosen;
}

std::vector<int> effective_channel_impl::beams() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_beams;
}

void effective_channel_impl::set_combiner(const std::string& combiner)
{
    checked_combiner(combiner);
    std::lock_guard<std::mutex> lock(d_mutex);
    d_combiner = combiner;
}

std::string effective_channel_impl::combiner() const
{
    std::lock_guard<std::mutex> lock(d_mutex);
    return d_combiner;
}

int effective_channel_impl::work(int noutput_items,
                                 gr_vector_const_void_star& input_items,
                                 gr_vector_void_star& output_items)
{
    const auto* h = static_cast<const gr_complex*>(input_items[0]);
    auto* H = static_cast<gr_complex*>(output_items[0]);
    const size_t frame_out = static_cast<size_t>(d_n_users) * d_n_subarrays;
    for (int frame = 0; frame < noutput_items; frame++) {
        process_frame(h + frame * d_present.size(), frame, H + frame * frame_out);
        if (output_items.size() > 1)
            std::copy(d_rows.begin(),
                      d_rows.end(),
                      static_cast<gr_complex*>(output_items[1]) + frame * d_rows.size());
    }
    return noutput_items;
}

void effective_channel_impl::process_frame(const gr_complex* h, int frame, gr_complex* H)
{
    const int first_item = frame * d_n_users;
    get_tags_in_window(d_tags, 0, first_item, first_item + d_n_users);
    std::fill(d_user_faults.begin(), d_user_faults.end(), nullptr);
    for (const auto& tag : d_tags)
        if (tag.key == tags::skipped())
            d_user_faults[tag.offset - nitems_read(0) - first_item] = tag.value;

    std::fill_n(H, static_cast<size_t>(d_n_subarrays) * d_n_users, gr_complex(0));
    const int n_present = take_present(h);
    read_noise_var(nitems_read(0) + first_item);
    d_frame_combiner = combiner();
    const bool has_rows = choose_rows(n_present > 0);
    for (int user = 0; user < d_n_users && has_rows; user++)
        if (!d_user_faults[user])
            combine(user, H);
    d_skipped_users += d_n_users - n_present;
    d_frames++;
    const uint64_t offset = nitems_written(0) + frame;
    pass_tags(offset, nitems_read(0) + first_item);
    if (!has_rows)
        add_item_tag(0, offset, tags::skipped(), bad_beams());
    else if (n_present == 0)
        add_item_tag(0, offset, tags::skipped(), d_user_faults[0]);
    else
        tag_rows(offset);
}

/*! Copies the users that are there, and zeros for the others. \return how many there are */
int effective_channel_impl::take_present(const gr_complex* h)
{
    const size_t size = d_rows.size();
    int n_present = 0;
    for (int user = 0; user < d_n_users; user++) {
        const bool present = is_user_present(h + user * size, user);
        n_present += present;
        if (present)
            std::copy_n(h + user * size, size, &d_present[user * size]);
        else
            std::fill_n(&d_present[user * size], size, gr_complex(0));
    }
    return n_present;
}

/*! Rows of the frame at hand. \return false when the beams of a tag cannot be used */
bool effective_channel_impl::choose_rows(bool has_users)
{
    const bool is_fixed = d_frame_combiner == "codebook" || !has_users;
    if (is_fixed && !take_tagged_beams()) {
        std::fill(d_rows.begin(), d_rows.end(), gr_complex(0));
        return false;
    }
    const double noise_var = choice_noise_var();
    if (d_frame_combiner == "matched" && !is_fixed) {
        d_choice.matched(d_present.data(), noise_var, d_rows.data());
    } else if (d_frame_combiner == "svd" && !is_fixed) {
        d_choice.singular(d_present.data(), noise_var, d_rows.data());
    } else {
        if (!is_fixed)
            d_choice.from_codebook(d_present.data(), d_codebook, noise_var, d_frame_beams);
        for (int s = 0; s < d_n_subarrays; s++)
            std::copy_n(&d_codebook[static_cast<size_t>(d_frame_beams[s]) * d_n_antennas],
                        d_n_antennas,
                        &d_rows[static_cast<size_t>(s) * d_n_antennas]);
    }
    for (int s = 0; s < d_n_subarrays; s++)
        d_row_norms[s] = static_cast<float>(
            item_energy(&d_rows[static_cast<size_t>(s) * d_n_antennas], d_n_antennas));
    return true;
}

/*! Noise variance that the choice of rows reckons with. Where it is not known, or so small that it
 * would drown in rounding, 40 or 80 dB below the mean power of a user at a subarray. */
double effective_channel_impl::choice_noise_var() const
{
    const double power = item_energy(d_present.data(), static_cast<int>(d_present.size())) /
                         (static_cast<double>(d_n_users) * d_n_subarrays);
    return d_noise_var > 0.0 ? std::max(d_noise_var, 1e-8 * power) : 1e-4 * power + FLT_MIN;
}

bool effective_channel_impl::take_tagged_beams()
{
    d_frame_beams = beams();
    for (const auto& tag : d_tags) {
        if (tag.key != tags::beams())
            continue;
        try {
            const auto tagged = beam_indices(tag.value);
            check_beams(tagged);
            d_frame_beams = tagged;
        } catch (const std::invalid_argument& error) {
            d_logger->warn("frame skipped, tag thzum_beams: {}", error.what());
            return false;
        }
    }
    return true;
}

bool effective_channel_impl::is_user_present(const gr_complex* h, int user)
{
    if (!d_user_faults[user])
        d_user_faults[user] = item_fault(h, d_n_subarrays * d_n_antennas);
    return !d_user_faults[user];
}

void effective_channel_impl::combine(int user, gr_complex* H) const
{
    for (int s = 0; s < d_n_subarrays; s++) {
        const size_t at = static_cast<size_t>(s) * d_n_antennas;
        lv_32fc_t gain;
        volk_32fc_x2_dot_prod_32fc(
            &gain, &d_present[user * d_rows.size() + at], &d_rows[at], d_n_antennas);
        H[s * d_n_users + user] = gain;
    }
}

/*! Takes the mean of the present users' noise variances. */
void effective_channel_impl::read_noise_var(uint64_t first_item)
{
    double sum = 0.0;
    int count = 0;
    for (const auto& tag : d_tags) {
        if (tag.key != tags::noise_var() || d_user_faults[tag.offset - first_item])
            continue;
        const double value = is_real_number(tag.value) ? pmt::to_double(tag.value) : 0.0;
        if (is_usable_noise_var(value)) {
            sum += value;
            count++;
        }
    }
    d_noise_var = count > 0 ? d_noise_scale * sum / count : 0.0;
}

void effective_channel_impl::pass_tags(uint64_t frame_offset, uint64_t first_item)
{
    d_frame_number = nullptr;
    for (const auto& tag : d_tags) {
        if (tag.offset != first_item || !is_of_frame(tag.key))
            continue;
        add_item_tag(0, frame_offset, tag.key, tag.value);
        if (tag.key == tags::frame())
            d_frame_number = tag.value;
    }
    if (d_noise_var > 0.0)
        add_item_tag(0, frame_offset, tags::noise_var(), pmt::from_double(d_noise_var));
}

/*! Tells what the rows do to the noise, and which they are if they were chosen here. */
void effective_channel_impl::tag_rows(uint64_t frame_offset)
{
    const auto is_scaled = [](float norm) { return std::abs(norm - 1.0f) > 2e-3f; };
    if (std::any_of(d_row_norms.begin(), d_row_norms.end(), is_scaled))
        add_item_tag(0,
                     frame_offset,
                     tags::noise_scale(),
                     pmt::init_f32vector(d_row_norms.size(), d_row_norms.data()));
    if (d_frame_combiner == "codebook")
        return;
    auto dict = pmt::dict_add(pmt::make_dict(), keys::combiner(), pmt::mp(d_frame_combiner));
    if (d_frame_number)
        dict = pmt::dict_add(dict, keys::frame(), d_frame_number);
    if (d_frame_combiner == "dft") {
        const auto beams = pmt::init_s32vector(d_frame_beams.size(), d_frame_beams.data());
        add_item_tag(0, frame_offset, tags::beams(), beams);
        dict = pmt::dict_add(dict, keys::beams(), beams);
    }
    if (pmt::is_null(message_subscribers(ports::combiner())))
        return;
    dict = pmt::dict_add(dict, keys::rows(), pmt::init_c32vector(d_rows.size(), d_rows.data()));
    message_port_pub(ports::combiner(), dict);
}

} // namespace thzum
} // namespace gr
