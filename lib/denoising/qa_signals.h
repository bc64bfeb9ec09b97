/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DENOISING_QA_SIGNALS_H
#define INCLUDED_THZUM_DENOISING_QA_SIGNALS_H

#include <gnuradio/thzum/denoiser.h>
#include <cmath>
#include <random>

/*! Seeded signals for the tests of denoisers. */
class qa_signals
{
public:
    explicit qa_signals(int seed) : d_random(seed) {}

    gr_complex gaussian(float variance)
    {
        const float deviation = std::sqrt(variance / 2);
        const float re = deviation * d_normal(d_random);
        return { re, deviation * d_normal(d_random) };
    }

    /*! Bernoulli-Gaussian of total power 1 per coefficient. */
    std::vector<gr_complex> sparse(int count, double rate)
    {
        std::bernoulli_distribution active(rate);
        std::vector<gr_complex> x(count);
        for (auto& value : x)
            value = active(d_random) ? gaussian(1 / rate) : gr_complex(0);
        return x;
    }

    std::vector<gr_complex> noisy(std::vector<gr_complex> x, float variance)
    {
        for (auto& value : x)
            value += gaussian(variance);
        return x;
    }

private:
    std::mt19937 d_random;
    std::normal_distribution<float> d_normal;
};

/*! Running mean and its standard error. */
class qa_mean
{
public:
    void add(double value)
    {
        d_count++;
        d_sum += value;
        d_squares += value * value;
    }
    double mean() const { return d_sum / d_count; }
    double standard_error() const
    {
        return std::sqrt((d_squares / d_count - mean() * mean()) / (d_count - 1));
    }

private:
    int d_count = 0;
    double d_sum = 0;
    double d_squares = 0;
};

inline double mean_square_error(const std::vector<gr_complex>& x_hat,
                                const std::vector<gr_complex>& x)
{
    double sum = 0;
    for (size_t i = 0; i < x.size(); i++)
        sum += std::norm(x_hat[i] - x[i]);
    return sum / x.size();
}

/*! (1/K) sum_i d x_i / d r_i by central differences along both axes of each coefficient. */
inline double finite_difference(gr::thzum::denoiser& denoiser,
                                const std::vector<gr_complex>& r,
                                float variance,
                                float step)
{
    const auto at = [&](size_t i, gr_complex offset) {
        auto moved = r;
        std::vector<gr_complex> x_hat(r.size());
        moved[i] += offset;
        denoiser.denoise(moved.data(), &variance, 1, x_hat.data(), nullptr, nullptr);
        return x_hat[i];
    };
    double sum = 0;
    for (size_t i = 0; i < r.size(); i++) {
        const gr_complex j(0, 1);
        sum += (at(i, step) - at(i, -step)).real() + (at(i, step * j) - at(i, -step * j)).imag();
    }
    return sum / (4 * step * r.size());
}

#endif /* INCLUDED_THZUM_DENOISING_QA_SIGNALS_H */
