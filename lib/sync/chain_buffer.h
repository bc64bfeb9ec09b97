/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SYNC_CHAIN_BUFFER_H
#define INCLUDED_THZUM_SYNC_CHAIN_BUFFER_H

#include <algorithm>
#include <cstdint>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief The latest values of several streams, side by side, addressed by their number in the
 * stream.
 */
template <class T>
class chain_buffer
{
public:
    /*! \param room values that may be kept at a time */
    chain_buffer(int n_chains, size_t room) : d_room(2 * room)
    {
        d_rows.assign(n_chains, std::vector<T>(d_room, T(0)));
    }

    int64_t first() const { return d_first; }
    int64_t end() const { return d_first + int64_t(d_used); }

    /*! Value number \p index of \p chain and, behind it, the later ones. */
    const T* at(int chain, int64_t index) const
    {
        return d_rows[chain].data() + (index - d_first) + d_offset;
    }

    /*! Room for \p count new values of every chain, to be written through fresh(). */
    void extend(size_t count)
    {
        if (d_offset + d_used + count > d_room)
            compact();
        d_used += count;
    }

    /*! The \p count values that extend() added last. */
    T* fresh(int chain, size_t count) { return d_rows[chain].data() + d_offset + d_used - count; }

    void drop_before(int64_t index)
    {
        const int64_t gone = std::min<int64_t>(index - d_first, int64_t(d_used));
        if (gone <= 0)
            return;
        d_first += gone;
        d_offset += size_t(gone);
        d_used -= size_t(gone);
    }

    void restart(int64_t first)
    {
        d_first = first;
        d_offset = d_used = 0;
    }

private:
    void compact()
    {
        for (auto& row : d_rows)
            std::move(row.begin() + d_offset, row.begin() + d_offset + d_used, row.begin());
        d_offset = 0;
    }

    size_t d_room;
    size_t d_offset = 0;
    size_t d_used = 0;
    int64_t d_first = 0;
    std::vector<std::vector<T>> d_rows;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SYNC_CHAIN_BUFFER_H */
