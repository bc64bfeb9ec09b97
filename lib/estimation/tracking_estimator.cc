/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/thzum/tracking_estimator.h>
#include <algorithm>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr int most_streams = 65536;
constexpr int most_at_once = 256; // items

class tracking_estimator_impl : public tracking_estimator
{
public:
    tracking_estimator_impl(estimator::sptr estimator, int streams)
        : d_inner(std::move(estimator)),
          d_streams(streams),
          d_size(d_inner->state_size()),
          d_states(size_t(streams) * d_size, 0.0f),
          d_is_taken(streams, 0),
          d_items(most_at_once)
    {
    }

    const estimator::sptr& inner() const override { return d_inner; }
    int streams() const override { return d_streams; }

    void estimate(const gr_complex* y,
                  const float* noise_var,
                  const int* stream,
                  int batch,
                  gr_complex* h_hat,
                  estimate_report* report) override
    {
        const size_t observed = d_inner->op()->n_observations();
        const size_t antennas = d_inner->op()->shape().antennas();
        for (int begin = 0, count; begin < batch; begin += count) {
            count = take(stream + begin, batch - begin);
            d_inner->track(y + begin * observed,
                           noise_var ? noise_var + begin : nullptr,
                           count,
                           h_hat + begin * antennas,
                           report + begin,
                           d_items.data());
        }
    }

    void reset(int stream) override
    {
        if (!is_stream(stream))
            throw std::invalid_argument("stream: expected an integer from 0 to " +
                                        std::to_string(d_streams - 1) + ", got " +
                                        std::to_string(stream));
        std::fill_n(d_states.begin() + size_t(stream) * d_size, d_size, 0.0f);
    }

    void reset() override { std::fill(d_states.begin(), d_states.end(), 0.0f); }

private:
    bool is_stream(int stream) const { return stream >= 0 && stream < d_streams; }

    // As many items as have different streams, with their states in d_items.
    int take(const int* stream, int most)
    {
        int count = 0;
        for (; count < std::min(most, most_at_once); ++count) {
            const bool tracked = is_stream(stream[count]) && d_size > 0;
            if (tracked && d_is_taken[stream[count]])
                break;
            d_items[count] = tracked ? &d_states[size_t(stream[count]) * d_size] : nullptr;
            if (tracked)
                d_is_taken[stream[count]] = 1;
        }
        for (int i = 0; i < count; ++i)
            if (is_stream(stream[i]))
                d_is_taken[stream[i]] = 0;
        return count;
    }

    const estimator::sptr d_inner;
    const int d_streams, d_size;
    std::vector<float> d_states; // [streams][size]
    std::vector<char> d_is_taken;
    std::vector<float*> d_items;
};

} // namespace

tracking_estimator::sptr tracking_estimator::make(estimator::sptr estimator, int streams)
{
    if (!estimator)
        throw std::invalid_argument("estimator: expected an estimator, got none");
    if (streams < 1 || streams > most_streams)
        throw std::invalid_argument("streams: expected an integer from 1 to " +
                                    std::to_string(most_streams) + ", got " +
                                    std::to_string(streams));
    return std::make_shared<tracking_estimator_impl>(std::move(estimator), streams);
}

} // namespace thzum
} // namespace gr
