/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sync/checksum.h"
#include "sync/soft_bit_scale.h"
#include <gnuradio/constants.h>
#include <gnuradio/thzum/payload_code.h>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <random>

using gr::thzum::payload_code;
using gr::thzum::payload_header;

namespace {

const std::string alist =
    std::string(gr::prefix()) + "/share/gnuradio/fec/ldpc/n_1100_k_0442_gap_24.alist";

// Soft bits of QPSK symbols in noise, exact for Gray mapping: the sign of each part is a bit.
std::vector<float>
qpsk_llr(const std::vector<gr_complex>& symbols, double noise_var, std::mt19937& rng)
{
    std::normal_distribution<double> normal(0.0, std::sqrt(noise_var / 2));
    std::vector<float> llr;
    for (const auto& x : symbols) {
        const double scale = 4.0 / (std::sqrt(2.0) * noise_var);
        llr.push_back(float(scale * (x.real() + normal(rng))));
        llr.push_back(float(scale * (x.imag() + normal(rng))));
    }
    return llr;
}

std::vector<uint8_t> random_bytes(int count, std::mt19937& rng)
{
    std::vector<uint8_t> bytes(count);
    for (auto& byte : bytes)
        byte = uint8_t(rng());
    return bytes;
}

// User 0's frame 1 of as many bytes as fit.
struct full_frame {
    payload_code::sptr code = payload_code::make(700, "qpsk", alist);
    std::vector<uint8_t> bytes;
    std::vector<gr_complex> symbols;

    explicit full_frame(std::mt19937& rng)
        : bytes(random_bytes(code->max_bytes(), rng)), symbols(code->n_data())
    {
        code->encode({ 1, 0, code->max_bytes() }, bytes.data(), symbols.data());
    }
};

} // namespace

BOOST_AUTO_TEST_CASE(checksums_of_the_standard_text)
{
    const auto* text = reinterpret_cast<const uint8_t*>("123456789");
    BOOST_CHECK_EQUAL(gr::thzum::crc16(text, 9), 0x29b1);
    BOOST_CHECK_EQUAL(gr::thzum::crc32(text, 9), 0xcbf43926u);
    BOOST_CHECK_EQUAL(gr::thzum::crc32(text + 4, 5, gr::thzum::crc32(text, 4)), 0xcbf43926u);
}

BOOST_AUTO_TEST_CASE(bytes_come_back)
{
    std::mt19937 rng(1);
    const auto code = payload_code::make(1300, "qpsk", alist);
    BOOST_CHECK_EQUAL(code->n_codewords(), 2);
    BOOST_CHECK_EQUAL(code->codeword_bits(), 1100);
    BOOST_CHECK_EQUAL(code->max_bytes(), 2 * code->information_bits() / 8 - 4);
    std::vector<gr_complex> symbols(1300);
    std::vector<uint8_t> got(code->max_bytes());
    for (int length : { 0, 1, code->max_bytes() })
        for (int user : { 0, 3, 200 }) {
            const auto bytes = random_bytes(length, rng);
            code->encode({ 40000 + user, user, length }, bytes.data(), symbols.data());
            // 0.7 dB from where this code begins to fail.
            const auto llr = qpsk_llr(symbols, std::pow(10.0, -0.2), rng);
            payload_header header{};
            BOOST_CHECK(code->decode(user, llr.data(), header, got.data()) ==
                        payload_code::outcome::good);
            BOOST_CHECK_EQUAL(header.frame, 40000 + user);
            BOOST_CHECK_EQUAL(header.user, user);
            BOOST_CHECK_EQUAL(header.length, length);
            BOOST_CHECK(std::equal(bytes.begin(), bytes.end(), got.begin()));
        }
}

BOOST_AUTO_TEST_CASE(huge_and_useless_soft_bits)
{
    std::mt19937 rng(2);
    const full_frame frame(rng);
    const auto& [code, bytes, symbols] = frame;
    std::vector<uint8_t> got(code->max_bytes());
    auto llr = qpsk_llr(symbols, 1e-4, rng);
    llr[600] = INFINITY;
    llr[601] = NAN;
    payload_header header{};
    BOOST_CHECK(code->decode(0, llr.data(), header, got.data()) == payload_code::outcome::good);
    BOOST_CHECK(got == bytes);
    // Another user's, noise, silence.
    BOOST_CHECK(code->decode(1, llr.data(), header, got.data()) ==
                payload_code::outcome::bad_header);
    std::normal_distribution<float> normal;
    for (auto& value : llr)
        value = normal(rng);
    BOOST_CHECK(code->decode(0, llr.data(), header, got.data()) ==
                payload_code::outcome::bad_header);
    std::fill(llr.begin(), llr.end(), 0.0f);
    BOOST_CHECK(code->decode(0, llr.data(), header, got.data()) == payload_code::outcome::absent);
    // A payload that is lost behind a good header.
    llr = qpsk_llr(symbols, 1e-2, rng);
    for (size_t i = 300; i < llr.size(); i++)
        llr[i] = normal(rng);
    BOOST_CHECK(code->decode(0, llr.data(), header, got.data()) ==
                payload_code::outcome::bad_payload);
    BOOST_CHECK_EQUAL(header.frame, 1);
}

BOOST_AUTO_TEST_CASE(scale_of_soft_bits_of_one_size_is_known_in_closed_form)
{
    for (int wrong : { 0, 5, 40, 124 })
        for (float size : { 0.05f, 3.0f, 30.0f }) {
            std::vector<float> margins(249, size);
            std::fill_n(margins.begin(), wrong, -size);
            margins.back() = 0.0f; // says nothing
            const double log_odds = std::log(double(248 - wrong) / (wrong + 1));
            const double expected = std::max(log_odds / size, 1.0 / 1024);
            BOOST_CHECK_CLOSE(
                gr::thzum::soft_bit_scale(margins.data(), int(margins.size())), expected, 0.1);
        }
    const std::vector<float> zeros(8, 0.0f);
    BOOST_CHECK_EQUAL(gr::thzum::soft_bit_scale(zeros.data(), 8), 1.0);
}

BOOST_AUTO_TEST_CASE(soft_bits_of_any_scale_are_decoded)
{
    std::mt19937 rng(4);
    const full_frame frame(rng);
    const auto& [code, bytes, symbols] = frame;
    std::vector<uint8_t> got(code->max_bytes());
    for (float told : { 0.01f, 0.25f, 1.0f, 4.0f, 100.0f }) {
        int bad = 0;
        double product = 1.0;
        for (int k = 0; k < 100; k++) {
            auto llr = qpsk_llr(symbols, std::pow(10.0, -0.15), rng);
            for (auto& value : llr)
                value *= told;
            payload_header header{};
            bad += code->decode(0, llr.data(), header, got.data()) != payload_code::outcome::good;
            product *= std::pow(code->soft_bit_scale(), 0.01);
        }
        // 1 % or less are lost with soft bits as they should be: 7 of 100 have a chance of 1e-4.
        BOOST_CHECK_LE(bad, 6);
        // The mean of logarithms of 100, each within a third or so.
        BOOST_CHECK_CLOSE(product * told, 1.0, 15.0);
    }
}

BOOST_AUTO_TEST_CASE(wrong_arguments_are_named)
{
    BOOST_CHECK_THROW(payload_code::make(1300, "qpsk", "/no/such/file"), std::invalid_argument);
    BOOST_CHECK_THROW(payload_code::make(500, "qpsk", alist), std::invalid_argument);
    BOOST_CHECK_THROW(payload_code::make(1300, "8psk", alist), std::invalid_argument);
    BOOST_CHECK_THROW(payload_code::make(1300, "qpsk", alist, 0), std::invalid_argument);
}
