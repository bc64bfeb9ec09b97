/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_BLOCKS_LINEAR_STAGE_BLOCK_H
#define INCLUDED_THZUM_BLOCKS_LINEAR_STAGE_BLOCK_H

#include "block_arguments.h"
#include "chain_stage.h"
#include "frame_tags.h"
#include <gnuradio/block.h>
#include <atomic>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief What the blocks of linear modules share: stage, noise variance, tags in and out, counters.
 *
 * \p Interface is the public block; the most derived class still constructs gr::sync_block.
 */
template <class Interface>
class linear_stage_block : public Interface
{
public:
    void set_noise_var(double noise_var) override
    {
        d_fixed_noise_var = checked_noise_var(d_block_name, noise_var);
    }
    double noise_var() const override { return d_fixed_noise_var; }
    uint64_t processed() const override { return d_processed; }
    uint64_t skipped() const override { return d_skipped; }

protected:
    linear_stage_block(const std::string& block_name,
                       const pilot_operator::sptr& op,
                       const std::string& dictionary,
                       double spacing,
                       double noise_var)
        : d_n_observations(op->n_observations()),
          d_n_antennas(op->shape().antennas()),
          d_stage(block_name, op, dictionary, spacing),
          d_block_name(block_name),
          d_fixed_noise_var(noise_var)
    {
        this->set_tag_propagation_policy(gr::block::TPP_DONT);
    }

    /*! Loads item \p index; returns why it is to be skipped, null if it is not. */
    pmt::pmt_t load(const gr_complex* y, const gr_complex* x, int index)
    {
        item_tags read;
        this->get_tags_in_window(d_tags, 0, index, index + 1);
        for (const auto& tag : d_tags)
            read.read(tag);
        return d_stage.load(y, x, read, d_fixed_noise_var);
    }

    /*! Counts the item just loaded, passes its tags on and adds amplitude or fault. */
    void finish(int index, const pmt::pmt_t& fault)
    {
        const uint64_t offset = this->nitems_written(0) + index;
        bool is_tagged = false;
        for (const auto& tag : d_tags) {
            is_tagged |= tag.key == tags::skipped();
            if (tag.key != tags::amplitude())
                this->add_item_tag(0, tag);
        }
        ++(fault ? d_skipped : d_processed);
        if (!fault)
            this->add_item_tag(0, offset, tags::amplitude(), pmt::from_double(d_stage.amplitude()));
        else if (!is_tagged)
            this->add_item_tag(0, offset, tags::skipped(), fault);
    }

    const int d_n_observations;
    const int d_n_antennas;
    chain_stage d_stage;

private:
    const std::string d_block_name;
    std::atomic<double> d_fixed_noise_var;
    std::atomic<uint64_t> d_processed{ 0 };
    std::atomic<uint64_t> d_skipped{ 0 };
    std::vector<tag_t> d_tags;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_BLOCKS_LINEAR_STAGE_BLOCK_H */
