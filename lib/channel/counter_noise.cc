/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/counter_noise.h"
#include "channel/elementary.h"
#include "common/multiversion.h"
#include <algorithm>

namespace gr {
namespace thzum {

namespace {

// Counters whose words are handled side by side, and the normal numbers they give.
constexpr int lanes = 16;
constexpr int group_size = 8 * lanes;

constexpr uint32_t multiplier[] = { 0xD2511F53, 0xCD9E8D57 };
constexpr uint32_t weyl[] = { 0x9E3779B9, 0xBB67AE85 };

struct address {
    uint32_t key[2];
    uint32_t substream[2];
};

struct words {
    uint32_t a, b, c, d;
};

THZUM_INLINE words philox_round(words w, uint32_t key0, uint32_t key1)
{
    const uint64_t product0 = uint64_t(w.a) * multiplier[0],
                   product1 = uint64_t(w.c) * multiplier[1];
    return { uint32_t(product1 >> 32) ^ w.b ^ key0,
             uint32_t(product1),
             uint32_t(product0 >> 32) ^ w.d ^ key1,
             uint32_t(product0) };
}

// Two counters in step, which hides the latency of the multiplications. Unrolled by recursion
// because a loop inside keeps the compiler from vectorising the loop around it.
template <int round = 0>
THZUM_INLINE void philox(words& first, words& second, uint32_t key0, uint32_t key1)
{
    if constexpr (round < 10) {
        first = philox_round(first, key0, key1);
        second = philox_round(second, key0, key1);
        philox<round + 1>(first, second, key0 + weyl[0], key1 + weyl[1]);
    }
}

// -2 log((k + 1/2) / 2^31) for 0 <= k < 2^31. Near 1 the logarithm is taken of the distance to 1,
// which an integer holds exactly and a float would not.
THZUM_INLINE float minus_two_log(int32_t k)
{
    constexpr int32_t root_half = 0x5A82799A; // sqrt(1/2) 2^31
    const bool near_one = k > root_half;
    const int32_t distance = near_one ? 0x7FFFFFFF - k : k;
    const float x = (float(distance) + 0.5f) * 0x1p-31f;
    int32_t exponent;
    float reduced;
    split(x, exponent, reduced);
    const float f = near_one ? -x : reduced;
    const float e = near_one ? 0.0f : float(exponent);
    return -2.0f * (log_near_one(f) + 0.693147181f * e);
}

THZUM_INLINE float radius(uint32_t word) { return root(minus_two_log(int32_t(word >> 1))); }

// A point at a distance in a random direction: one of four sectors around the axes and a position
// within
// +-45 degrees of the axis.
THZUM_INLINE void scatter(float distance, uint32_t angle_word, float& first, float& second)
{
    const float t = float(int32_t(angle_word << 2) >> 2) * 0x1p-30f;
    float cosine, sine;
    cos_sin_quarter(t, cosine, sine);
    const float along = distance * ((angle_word & 0x80000000u) ? -cosine : cosine);
    const float across = distance * sine;
    const bool vertical = (angle_word & 0x40000000u) != 0;
    first = vertical ? across : along;
    second = vertical ? along : across;
}

// The numbers of whole groups, by Box and Muller (Ann. Math. Stat. 1958). In either half of a
// group, the counter l gives the numbers 16 j + l: its words 0 and 1 those of j = 0, 1, and 2 and 3
// the others.
THZUM_MULTIVERSION
void normal_groups(const address& at, uint64_t first_group, size_t groups, float* __restrict out)
{
    for (size_t g = 0; g < groups; g++) {
        const uint64_t counter = (first_group + g) * (2 * lanes);
        const uint32_t low = uint32_t(counter), high = uint32_t(counter >> 32);
        float* __restrict z = out + g * group_size;
        for (int l = 0; l < lanes; l++) {
            words v{ low + uint32_t(l), high, at.substream[0], at.substream[1] };
            words w{ low + uint32_t(l + lanes), high, at.substream[0], at.substream[1] };
            philox(v, w, at.key[0], at.key[1]);
            scatter(radius(v.a), v.b, z[l], z[l + lanes]);
            scatter(radius(v.c), v.d, z[l + 2 * lanes], z[l + 3 * lanes]);
            scatter(radius(w.a), w.b, z[l + 4 * lanes], z[l + 5 * lanes]);
            scatter(radius(w.c), w.d, z[l + 6 * lanes], z[l + 7 * lanes]);
        }
    }
}

} // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key)
{
    words w{ counter[0], counter[1], counter[2], counter[3] }, other = w;
    philox(w, other, key[0], key[1]);
    return { w.a, w.b, w.c, w.d };
}

void counter_normal(uint64_t seed, uint64_t substream, uint64_t first, size_t count, float* out)
{
    const address at{ { uint32_t(seed), uint32_t(seed >> 32) },
                      { uint32_t(substream), uint32_t(substream >> 32) } };
    while (count > 0) {
        const uint64_t group = first / group_size;
        const size_t skipped = first % group_size;
        size_t taken;
        if (skipped == 0 && count >= group_size) {
            const size_t groups = count / group_size;
            normal_groups(at, group, groups, out);
            taken = groups * group_size;
        } else {
            float buffer[group_size];
            normal_groups(at, group, 1, buffer);
            taken = std::min(count, group_size - skipped);
            std::copy_n(buffer + skipped, taken, out);
        }
        first += taken;
        out += taken;
        count -= taken;
    }
}

} // namespace thzum
} // namespace gr
