/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/thzum/air_frame.h>
#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr int max_symbols = 1 << 22;

void check_range(const char* name, double value, double low, double high)
{
    if (value >= low && value <= high)
        return;
    std::ostringstream text;
    text << "air_frame: " << name << ": expected " << low << " to " << high << ", got " << value;
    throw std::invalid_argument(text.str());
}

void check_parameters(const air_frame_parameters& p)
{
    check_range("n_noise", p.n_noise, 1, 1 << 20);
    check_range("n_slots", p.n_slots, 1, 1 << 16);
    check_range("n_users", p.n_users, 1, 1 << 12);
    check_range("n_data", p.n_data, 0, 1 << 20);
    check_range("samples_per_symbol", p.samples_per_symbol, 2, 16);
    check_range("rolloff", p.rolloff, 0.05, 1.0);
    check_range("span", p.span, 2, 32);
    check_range("guard", p.guard, 0, 1024);
    check_range("preamble_segments", p.preamble_segments, 1, 256);
    check_range("segment_parts", p.segment_parts, 2, 13);
    check_range("part_length", p.part_length, 4, 1024);
    check_range("reference_interval", p.reference_interval, 0, 1 << 16);
    check_range("reference_beams", p.reference_beams, 1, 64);
    check_range("data_reference_interval", p.data_reference_interval, 0, 1 << 20);
    if (p.span % 2)
        throw std::invalid_argument("air_frame: span: expected an even number of symbols, got " +
                                    std::to_string(p.span));
    const size_t users = p.n_users;
    if (p.sequences.size() % users || p.sequences.size() / users < users)
        throw std::invalid_argument("air_frame: sequences: expected n_users = " +
                                    std::to_string(users) + " rows of at least as many chips, " +
                                    "got " + std::to_string(p.sequences.size()) + " values");
    for (const auto& chip : p.sequences)
        if (!(std::abs(std::abs(chip) - 1.0f) < 1e-3f))
            throw std::invalid_argument("air_frame: sequences: expected chips of magnitude 1, got "
                                        "one of " +
                                        std::to_string(std::abs(chip)));
}

// Barker sequences, whose repetitions are found at one place only, where there is one.
std::vector<float> cover_signs(int parts)
{
    static const std::vector<std::vector<float>> barker = {
        { 1, 1 },
        { 1, 1, -1 },
        { 1, 1, -1, 1 },
        { 1, 1, 1, -1, 1 },
        { 1, 1, 1, -1, -1, 1, -1 },
        { 1, 1, 1, -1, -1, -1, 1, -1, -1, 1, -1 },
        { 1, 1, 1, 1, 1, -1, -1, 1, 1, -1, 1, -1, 1 }
    };
    const auto found = std::find_if(barker.begin(), barker.end(), [parts](const auto& signs) {
        return int(signs.size()) >= parts;
    });
    return { found->begin(), found->begin() + parts };
}

// Chips of the m-sequence of x^11 + x^2 + 1, period 2047.
std::vector<float> m_sequence(int length)
{
    std::vector<float> chips(length);
    unsigned state = 0x5b8;
    for (auto& chip : chips) {
        chip = state & 1 ? -1.0f : 1.0f;
        const unsigned feedback = (state ^ (state >> 2)) & 1;
        state = (state >> 1) | (feedback << 10);
    }
    return chips;
}

} // namespace

air_frame::sptr air_frame::make(const air_frame_parameters& parameters)
{
    return std::make_shared<const air_frame>(parameters);
}

air_frame::air_frame(const air_frame_parameters& parameters)
    : d_parameters(parameters), d_n_chips(0)
{
    check_parameters(parameters);
    d_n_chips = int(parameters.sequences.size()) / parameters.n_users;
    make_preamble();
    lay_out();
}

void air_frame::make_preamble()
{
    const int parts = d_parameters.segment_parts, length = d_parameters.part_length;
    d_cover = cover_signs(parts);
    const auto base = m_sequence(d_parameters.preamble_segments * length);
    for (int g = 0; g < d_parameters.preamble_segments; g++)
        for (int r = 0; r < parts; r++)
            for (int i = 0; i < length; i++)
                d_preamble.push_back(d_cover[r] * base[g * length + i]);
}

void air_frame::add(section kind, int length, int entry, int index)
{
    d_blocks.push_back({ kind, d_n_symbols, length, entry, index });
    d_n_symbols += length + d_parameters.guard;
    if (d_n_symbols > max_symbols)
        throw std::invalid_argument("air_frame: expected a frame of " +
                                    std::to_string(max_symbols) +
                                    " symbols at most; lower n_slots, n_users or guard");
}

void air_frame::add_reference_slot(int index)
{
    const int beams = d_parameters.reference_beams, group = index % beams;
    d_references.push_back({ d_n_symbols, group });
    const int64_t middle = int64_t(2 * group + 1) * d_parameters.n_slots / (2 * beams);
    add(section::reference, d_n_chips, int(middle), index);
}

void air_frame::add_data()
{
    const int interval = d_parameters.data_reference_interval, n_data = d_parameters.n_data;
    if (n_data == 0)
        return;
    const int n_references = interval ? (n_data + interval - 1) / interval + 1 : 0;
    const int first = d_n_symbols;
    for (int i = 0; i < n_references; i++)
        d_references.push_back({ first + i * d_n_chips + std::min(i * interval, n_data),
                                 d_parameters.reference_beams });
    add(section::data, n_data + n_references * d_n_chips, d_parameters.n_slots, 0);
}

void air_frame::lay_out()
{
    const auto& p = d_parameters;
    const int ends = p.span / 2;
    d_n_symbols = ends;
    for (int g = 0; g < p.preamble_segments; g++)
        add(section::preamble,
            segment_length(),
            int(int64_t(g) * p.n_slots / p.preamble_segments),
            g);
    add(section::noise, p.n_noise, 0, 0);
    int n_references = 0;
    for (int q = 0; q < p.n_slots; q++) {
        if (p.reference_interval && q % p.reference_interval == 0)
            add_reference_slot(n_references++);
        add(section::slot, d_n_chips, q, q);
    }
    if (p.reference_interval)
        add_reference_slot(n_references);
    add_data();
    d_n_symbols += ends - p.guard;

    for (const auto& each : d_blocks)
        if (each.kind == section::noise || each.kind == section::slot)
            for (int i = 0; i < each.length; i++)
                d_received.push_back(each.first + i);
    for (int i = 0; i < p.n_data; i++)
        d_received.push_back(data_symbol(i));
}

int air_frame::n_received() const
{
    return d_parameters.n_noise + d_parameters.n_slots * d_n_chips + d_parameters.n_data;
}

int air_frame::n_reference_groups() const { return d_parameters.reference_beams + 1; }

int air_frame::data_symbol(int index) const
{
    const int interval = d_parameters.data_reference_interval;
    const int before = interval ? (index / interval + 1) * d_n_chips : 0;
    return d_blocks.back().first + before + index;
}

void air_frame::schedule(std::vector<int>& entries, std::vector<int64_t>& lengths) const
{
    entries.clear();
    lengths.clear();
    const int64_t step = d_parameters.samples_per_symbol;
    int64_t from = 0;
    for (size_t i = 0; i < d_blocks.size(); i++) {
        int64_t until = n_samples();
        if (i + 1 < d_blocks.size()) {
            const int last = d_blocks[i].first + d_blocks[i].length - 1;
            until = ((last + d_blocks[i + 1].first) * step + 1) / 2;
        }
        entries.push_back(d_blocks[i].entry);
        lengths.push_back(until - from);
        from = until;
    }
}

void air_frame::put_known_symbols(int user, gr_complex* symbols) const
{
    std::fill_n(symbols, d_n_symbols, gr_complex(0));
    const gr_complex* sequence = &d_parameters.sequences[size_t(user) * d_n_chips];
    const float* chips = d_preamble.data();
    for (const auto& each : d_blocks) {
        if (each.kind == section::preamble)
            std::copy_n(chips + each.index * segment_length(), each.length, symbols + each.first);
        else if (each.kind == section::slot)
            std::copy_n(sequence, d_n_chips, symbols + each.first);
    }
    for (const auto& each : d_references)
        std::copy_n(sequence, d_n_chips, symbols + each.first);
}

} // namespace thzum
} // namespace gr
