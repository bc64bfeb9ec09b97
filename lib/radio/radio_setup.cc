/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/thzum/radio_setup.h>
#include <type_traits>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace gr {
namespace thzum {

namespace {

constexpr char magic[] = "thzum radio setup 1\n";
constexpr size_t magic_size = sizeof(magic) - 1;

class writer
{
public:
    writer() : d_bytes(magic, magic + magic_size) {}

    template <class T>
    std::enable_if_t<std::is_arithmetic_v<T>> operator()(const T& value)
    {
        put(&value, sizeof(value));
    }

    void operator()(const std::string& text)
    {
        (*this)(uint64_t(text.size()));
        put(text.data(), text.size());
    }

    template <class T>
    void operator()(const std::vector<T>& values)
    {
        (*this)(uint64_t(values.size()));
        put(values.data(), values.size() * sizeof(T));
    }

    void operator()(const option_map& options)
    {
        (*this)(uint64_t(options.size()));
        for (const auto& [name, value] : options) {
            (*this)(name);
            (*this)(uint64_t(value.index()));
            std::visit([this](const auto& held) { (*this)(held); }, value);
        }
    }

    const std::vector<char>& bytes() const { return d_bytes; }

private:
    void put(const void* from, size_t size)
    {
        const auto* bytes = static_cast<const char*>(from);
        d_bytes.insert(d_bytes.end(), bytes, bytes + size);
    }

    std::vector<char> d_bytes;
};

class reader
{
public:
    explicit reader(const std::vector<char>& bytes) : d_bytes(bytes), d_at(magic_size)
    {
        if (bytes.size() < magic_size || std::memcmp(bytes.data(), magic, magic_size) != 0)
            throw std::invalid_argument("is not a radio setup of this version");
    }

    template <class T>
    std::enable_if_t<std::is_arithmetic_v<T>> operator()(T& value)
    {
        get(&value, sizeof(value));
    }

    void operator()(std::string& text)
    {
        text.resize(size(1));
        get(text.data(), text.size());
    }

    template <class T>
    void operator()(std::vector<T>& values)
    {
        values.resize(size(sizeof(T)));
        get(values.data(), values.size() * sizeof(T));
    }

    void operator()(option_map& options)
    {
        options.clear();
        for (size_t left = size(1); left > 0; left--) {
            std::string name;
            uint64_t kind = 0;
            (*this)(name);
            (*this)(kind);
            options[name] = option(kind);
        }
    }

    bool is_at_end() const { return d_at == d_bytes.size(); }

private:
    [[noreturn]] static void refuse() { throw std::invalid_argument("is damaged"); }

    template <class T>
    option_value held()
    {
        T value{};
        (*this)(value);
        return value;
    }

    option_value option(uint64_t kind)
    {
        switch (kind) {
        case 0:
            return held<bool>();
        case 1:
            return held<double>();
        case 2:
            return held<std::string>();
        case 3:
            return held<std::vector<gr_complex>>();
        default:
            refuse();
        }
    }

    // A number of elements that the rest can hold.
    size_t size(size_t element)
    {
        uint64_t count = 0;
        (*this)(count);
        if (count > (d_bytes.size() - d_at) / element)
            refuse();
        return size_t(count);
    }

    void get(void* to, size_t size)
    {
        if (size > d_bytes.size() - d_at)
            refuse();
        std::memcpy(to, d_bytes.data() + d_at, size);
        d_at += size;
    }

    const std::vector<char>& d_bytes;
    size_t d_at;
};

// All fields in the order of the file.
template <class Archive, class Setup>
void pass(Archive& archive, Setup& setup)
{
    auto& p = setup.channel;
    archive(setup.carrier_frequency);
    archive(setup.frame_length);
    archive(setup.plan);
    archive(setup.beams);
    for (auto* value : { &p.shape.n_subarrays, &p.shape.rows, &p.shape.cols, &p.n_realisations })
        archive(*value);
    for (auto* value : { &p.n_users, &p.n_paths, &p.delay_taps })
        archive(*value);
    for (auto* values : { &p.gain, &p.along_y, &p.along_x, &p.combiners })
        archive(*values);
    archive(p.delay);
    archive(p.doppler);
    archive(p.schedule.entries);
    archive(p.schedule.lengths);
    archive(p.schedule.start);
    for (auto* value : { &p.coherence_samples, &p.h_interval, &p.h_offset })
        archive(*value);
    archive(p.noise_var);
    archive(p.seed);
    archive(p.sample_rate);
    archive(p.hardware);
}

} // namespace

void radio_setup::save(const std::string& path) const
{
    writer archive;
    pass(archive, *this);
    std::ofstream file(path, std::ios::binary);
    file.write(archive.bytes().data(), std::streamsize(archive.bytes().size()));
    file.close();
    if (!file)
        throw std::runtime_error("radio setup: cannot write " + path);
}

radio_setup radio_setup::load(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw std::invalid_argument("setup: expected a readable file, got " + path);
    const std::vector<char> bytes{ std::istreambuf_iterator<char>(file), {} };
    try {
        radio_setup setup{};
        reader archive(bytes);
        pass(archive, setup);
        if (!archive.is_at_end() || setup.frame_length < 1)
            throw std::invalid_argument("is damaged");
        return setup;
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument("setup: " + path + " " + error.what() +
                                    "; make it again with thzum radio");
    }
}

} // namespace thzum
} // namespace gr
