/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_CHECKSUM_H
#define INCLUDED_THZUM_SYNC_CHECKSUM_H

#include <cstddef>
#include <cstdint>

namespace gr {
namespace thzum {

/*! CRC-16 of x^16 + x^12 + x^5 + 1, first bit most significant, starting from ones. */
inline uint16_t crc16(const uint8_t* bytes, size_t count)
{
    uint16_t crc = 0xffff;
    for (size_t i = 0; i < count; i++) {
        crc ^= uint16_t(bytes[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = uint16_t(crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
    return crc;
}

/*! CRC-32 of IEEE 802.3; \p crc continues an earlier one. */
inline uint32_t crc32(const uint8_t* bytes, size_t count, uint32_t crc = 0)
{
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? (crc >> 1) ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_CHECKSUM_H */
