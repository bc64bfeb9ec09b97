/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_AIR_FRAME_H
#define INCLUDED_THZUM_AIR_FRAME_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/api.h>
#include <cstdint>
#include <memory>
#include <vector>

namespace gr {
namespace thzum {

/*! Everything that the layout of a frame on the air depends on. */
struct air_frame_parameters {
    int n_noise;                       /*!< silent symbols, >= 1 */
    int n_slots;                       /*!< Q pilot slots, >= 1 */
    int n_users;                       /*!< K, >= 1 */
    int n_data;                        /*!< data symbols, >= 0 */
    std::vector<gr_complex> sequences; /*!< [K][P] pilot chips, P >= K */
    int samples_per_symbol = 2;        /*!< 2 .. 16 */
    double rolloff = 0.5;              /*!< of the root-raised-cosine pulse, 0.05 .. 1 */
    int span = 4;                      /*!< length of the pulse in symbols, even, 2 .. 32 */
    int guard = 4;                     /*!< silent symbols around each change of the combiner */
    int preamble_segments = 8;         /*!< G, each behind a combiner of its own, >= 1 */
    int segment_parts = 4;             /*!< R repetitions within a segment, 2 .. 13 */
    int part_length = 16;              /*!< D chips of a repetition, >= 4 */
    int reference_interval = 8;        /*!< slots between reference slots; 0: none */
    int reference_beams = 2;           /*!< combiners that reference slots take in turn, >= 1 */
    int data_reference_interval = 64;  /*!< data symbols between reference chips; 0: none */
};

/*!
 * \brief The frame on the air: which symbol is what, when the combiner changes, what a user sends.
 *
 * Blocks of symbols with \p guard silent ones between them, because the combiner changes there:
 * G segments of the preamble, n_noise silent symbols, the pilot slots with a reference slot before
 * every \p reference_interval of them and one behind the last, the data. A reference slot is a
 * pilot slot whose combiner comes again, for tracking the phase. The data begin and end with one
 * row of pilot chips and have one after every \p data_reference_interval symbols, for the same
 * reason.
 *
 * Every symbol m has its centre at sample m * samples_per_symbol of the frame. A pulse has unit
 * energy, so behind the matched filter a symbol has its own amplitude and noise the variance of a
 * sample. Half a pulse of silence stands at both ends of the frame. A guard of span - 1 symbols or
 * more keeps pulses on their side of a change of the combiner.
 *
 * Immutable; may be shared between threads.
 */
class THZUM_API air_frame
{
public:
    using sptr = std::shared_ptr<const air_frame>;

    enum class section { preamble, noise, reference, slot, data };

    /*! Symbols behind one combiner. */
    struct block {
        section kind;
        int first;  /*!< symbol */
        int length; /*!< symbols */
        int entry;  /*!< combiner: row of that pilot slot, Q for the data beams */
        int index;  /*!< counts the blocks of the same kind */
    };

    /*! P pilot chips for tracking. */
    struct reference {
        int first; /*!< symbol */
        int group; /*!< references with the same combiner */
    };

    /*! \throws std::invalid_argument naming the parameter, what was expected and what came */
    static sptr make(const air_frame_parameters& parameters);

    explicit air_frame(const air_frame_parameters& parameters);

    const air_frame_parameters& parameters() const { return d_parameters; }

    /*! Chips of a slot P. */
    int n_chips() const { return d_n_chips; }

    /*! Chips of a segment of the preamble, R * D. */
    int segment_length() const { return d_parameters.segment_parts * d_parameters.part_length; }

    /*! Symbols of the preamble from its first chip to its last. */
    int preamble_length() const
    {
        return d_parameters.preamble_segments * (segment_length() + d_parameters.guard) -
               d_parameters.guard;
    }

    int n_symbols() const { return d_n_symbols; }
    int n_samples() const { return d_n_symbols * d_parameters.samples_per_symbol; }

    /*! Symbols of the frame that a pilot_receiver takes: noise, pilots and data alone. */
    int n_received() const;

    /*! In order of time. */
    const std::vector<block>& blocks() const { return d_blocks; }

    /*! The reference slots, then those among the data, in order of time. */
    const std::vector<reference>& references() const { return d_references; }

    /*! Groups of references: \p reference_beams, and one for those among the data. */
    int n_reference_groups() const;

    /*! Chips of the preamble [G][R * D], +-1; those of a segment repeat with the signs of cover().
     */
    const std::vector<float>& preamble() const { return d_preamble; }

    /*! Signs of the repetitions within a segment [R]. */
    const std::vector<float>& cover() const { return d_cover; }

    /*! Symbol number of data symbol \p index. */
    int data_symbol(int index) const;

    /*! Symbol number of each of the n_received() symbols. */
    const std::vector<int>& received_symbols() const { return d_received; }

    /*! Combiner in force: rows and samples of each; together n_samples(). */
    void schedule(std::vector<int>& entries, std::vector<int64_t>& lengths) const;

    /*!
     * \brief Everything that \p user sends in a frame but the data, which stay zero.
     * \param symbols [n_symbols]
     */
    void put_known_symbols(int user, gr_complex* symbols) const;

private:
    void lay_out();
    void add(section kind, int length, int entry, int index);
    void add_reference_slot(int index);
    void add_data();
    void make_preamble();

    air_frame_parameters d_parameters;
    int d_n_chips;
    int d_n_symbols = 0;
    std::vector<block> d_blocks;
    std::vector<reference> d_references;
    std::vector<int> d_received;
    std::vector<float> d_cover;
    std::vector<float> d_preamble;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_AIR_FRAME_H */
