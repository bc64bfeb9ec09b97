/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_PREAMBLE_DECISION_H
#define INCLUDED_THZUM_SYNC_PREAMBLE_DECISION_H

#include "sync/preamble_match.h"
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Which of the search's candidates are preambles, with as few matches as possible.
 *
 * A preamble resembles itself one or more segments aside, so that the search finds it at several
 * places. Those within its length whose metric stays below four fifths of an accepted one's are
 * dropped unseen; so are those within a known frame that stay below what it asks for.
 */
class THZUM_API preamble_decision
{
public:
    /*! \param max_frequency largest frequency offset in cycles per symbol, 0 .. 0.45 */
    preamble_decision(air_frame::sptr frame,
                      const pulse_bank& pulse,
                      int n_chains,
                      double max_frequency);

    /*! Where the search puts its candidates, in order of time. */
    std::vector<preamble_search::candidate>& found() { return d_found; }

    /*!
     * \brief The next preamble, in order of time.
     * \param searched places before this one are searched
     * \returns whether there is one among the candidates that can be decided on
     */
    bool next(const chain_buffer<gr_complex>& samples, int64_t searched, preamble_fix& fix);

    /*! Candidates up to \p last need a metric of the first stage of \p least. */
    void ask_until(double last, float least);

    /*! Samples in front of a candidate that are read. */
    int margin() const { return d_match.margin(); }

    /*! Samples that next() may need behind a candidate. */
    int reach() const { return d_wait + d_preamble + margin(); }

    /*! First sample that is still needed, \p otherwise without undecided candidates. */
    int64_t sample_needed(int64_t otherwise) const;

    void restart();

private:
    enum class verdict { open, rejected, accepted };
    struct place {
        preamble_search::candidate candidate;
        verdict state;
        preamble_fix fix;
    };

    void take_found();
    void forget_old();
    bool is_asked_for(const place& each) const;
    bool is_outdone(const chain_buffer<gr_complex>& samples, size_t index);
    bool is_preamble(const chain_buffer<gr_complex>& samples, place& each);

    preamble_match d_match;
    int d_preamble; // samples
    int d_wait;     // samples behind a candidate in which a better one may come
    std::vector<preamble_search::candidate> d_found;
    std::vector<place> d_places; // decided ones of the last window, then those to decide
    size_t d_n_decided = 0;
    double d_asked_until = 0.0;
    float d_least = 0.0f;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_PREAMBLE_DECISION_H */
