/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "common/multiversion.h"
#include "denoising/denoiser_base.h"
#include <volk/volk_alloc.hh>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <sstream>

namespace gr {
namespace thzum {

namespace {

THZUM_MULTIVERSION
void magnitudes(const gr_complex* r, float* magnitude, int count)
{
    const float* parts = reinterpret_cast<const float*>(r);
    for (int i = 0; i < count; i++)
        magnitude[i] =
            __builtin_sqrtf(parts[2 * i] * parts[2 * i] + parts[2 * i + 1] * parts[2 * i + 1]);
}

THZUM_MULTIVERSION
void shrink(
    const gr_complex* r, const float* magnitude, float threshold, gr_complex* x_hat, int count)
{
    const float* in = reinterpret_cast<const float*>(r);
    float* out = reinterpret_cast<float*>(x_hat);
    for (int i = 0; i < count; i++) {
        const float factor = magnitude[i] > threshold ? 1 - threshold / magnitude[i] : 0.0f;
        out[2 * i] = factor * in[2 * i];
        out[2 * i + 1] = factor * in[2 * i + 1];
    }
}

/*! What decides about a threshold: of the coefficients above it, their number and sum of 1/|r|;
 * of those below, their energy. */
struct split {
    int above = 0;
    double inverse_above = 0;
    double energy_below = 0;

    /*! Sum over i of d x_i / d r_i, of which one coefficient above has 1 - t / (2 |r_i|). */
    double divergence(double threshold) const { return above - 0.5 * threshold * inverse_above; }

    /*!
     * Stein's unbiased risk estimate of ||x_hat - x||^2 (Stein, Ann. Statist. 1981) in circular
     * noise:
     * ||x_hat - r||^2 - K v + 2 v div.
     */
    double risk(double threshold, double variance, int count) const
    {
        return above * threshold * threshold + energy_below - count * variance +
               2 * variance * divergence(threshold);
    }

    /*! Where risk() of this split is least: it is a parabola in the threshold. */
    double best_threshold(double variance) const
    {
        return above > 0 ? 0.5 * variance * inverse_above / above : 0.0;
    }
};

/*! The order of non-negative floats is that of their bits; unlike <, it holds for NaN as well, on
 * which std::sort() would run out of the array. */
bool in_bit_order(float a, float b)
{
    uint32_t bits[2];
    std::memcpy(&bits[0], &a, sizeof(a));
    std::memcpy(&bits[1], &b, sizeof(b));
    return bits[0] < bits[1];
}

split split_at(const float* magnitude, float threshold, int count)
{
    split s;
    for (int i = 0; i < count; i++) {
        const double m = magnitude[i];
        if (magnitude[i] > threshold) {
            s.above++;
            s.inverse_above += 1 / m;
        } else {
            s.energy_below += m * m;
        }
    }
    return s;
}

/*!
 * The threshold of least risk. Between neighbouring magnitudes the split does not change, so the
 * minimum of each of its parabolas, kept inside the interval, is a candidate. From the largest
 * magnitude down, so that the sum of 1/|r| only grows and nothing cancels.
 */
float least_risk_threshold(const float* sorted, double variance, int count)
{
    split s = split_at(sorted, sorted[count - 1], count);
    double high = sorted[count - 1];
    double best = high;
    double least = s.risk(best, variance, count);
    for (int i = count - 1; i >= 0 && sorted[i] > 0; i--) {
        s.above++;
        s.inverse_above += 1 / high;
        s.energy_below -= high * high;
        const double low = i > 0 ? sorted[i - 1] : 0;
        const double candidate = std::clamp(s.best_threshold(variance), low, high);
        const double risk = s.risk(candidate, variance, count);
        if (risk < least) {
            least = risk;
            best = candidate;
        }
        high = low;
    }
    return static_cast<float>(best);
}

/*!
 * Complex soft threshold x_hat = max(0, 1 - t / |r|) r, the threshold chosen per item.
 */
class soft_threshold : public denoiser_base
{
public:
    soft_threshold(const denoiser_settings& settings, dictionary::sptr dict, double factor)
        : denoiser_base("soft_threshold", settings, std::move(dict)),
          d_factor(factor),
          d_magnitude(item_size()),
          d_sorted(item_size())
    {
    }

    void denoise(const gr_complex* r,
                 const float* variance,
                 int batch,
                 gr_complex* x_hat,
                 float* error_variance,
                 float* divergence) override
    {
        check(variance, batch);
        const int count = item_size();
        for (int b = 0; b < batch; b++) {
            magnitudes(r + b * count, d_magnitude.data(), count);
            const float threshold = choose_threshold(variance[b]);
            shrink(r + b * count, d_magnitude.data(), threshold, x_hat + b * count, count);
            const auto s = split_at(d_magnitude.data(), threshold, count);
            if (error_variance)
                error_variance[b] = std::max(0.0, s.risk(threshold, variance[b], count) / count);
            if (divergence)
                divergence[b] = s.divergence(threshold) / count;
        }
    }

    std::string repr() const override
    {
        std::ostringstream out;
        out << repr_head() << ", threshold=";
        if (d_factor > 0)
            out << d_factor << "*sqrt(variance))";
        else
            out << "SURE)";
        return out.str();
    }

private:
    float choose_threshold(float variance)
    {
        if (d_factor > 0)
            return d_factor * std::sqrt(variance);
        std::copy(d_magnitude.begin(), d_magnitude.end(), d_sorted.begin());
        std::sort(d_sorted.begin(), d_sorted.end(), in_bit_order);
        return least_risk_threshold(d_sorted.data(), variance, item_size());
    }

    double d_factor;
    volk::vector<float> d_magnitude;
    volk::vector<float> d_sorted;
};

denoiser::sptr make(const denoiser_settings& settings, const option_reader& options)
{
    return std::make_shared<soft_threshold>(
        settings, make_dictionary(settings, options), options.number("threshold_factor", 0, 100));
}

} // namespace

denoiser_entry soft_threshold_entry()
{
    return { { "soft_threshold",
               "complex soft threshold, chosen per item by Stein's unbiased risk estimate",
               { dictionary_option("dft"),
                 { "threshold_factor",
                   0.0,
                   "threshold in noise standard deviations, 0 to 100; 0 chooses the threshold of "
                   "least estimated risk" } } },
             &make };
}

} // namespace thzum
} // namespace gr
