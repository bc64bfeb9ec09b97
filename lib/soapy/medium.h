/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_SOAPY_MEDIUM_H
#define INCLUDED_THZUM_SOAPY_MEDIUM_H

#include <gnuradio/gr_complex.h>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace gr {
namespace thzum {

/*! What all processes on a medium have to agree on. */
struct medium_settings {
    std::string name;   /*!< of the medium, letters, digits, - and _ */
    int n_users;        /*!< K */
    double sample_rate; /*!< in Hz of the radio's clock */
    double pace;        /*!< seconds of the radio's clock per second */
    int64_t room;       /*!< samples of each user that it holds, a power of two */
    uint64_t plan;      /*!< fingerprint of the pilot plan */
};

/*!
 * \brief The air between processes: what each user sends, by sample time, in shared memory.
 *
 * Time counts samples of the machine's monotonic clock, so no process has to be there first and
 * none has to stay. A block of samples carries the number that it has in time; where that is not
 * the number asked for, nothing was sent. What a process that died left behind is therefore silence
 * once its time has passed. Locks on the file tell who is there; the system takes them back from
 * processes that die, and the first one on a medium with nobody left starts it anew.
 */
class medium
{
public:
    /*! \throws std::runtime_error when it is in use with other settings or there is no memory */
    explicit medium(const medium_settings& settings);
    ~medium();
    medium(const medium&) = delete;
    medium& operator=(const medium&) = delete;

    const medium_settings& settings() const { return d_settings; }

    /*! Sample time at present. */
    int64_t now() const { return now(d_settings.sample_rate * d_settings.pace); }

    /*! The same, of media with so many samples per second. */
    static int64_t now(double rate);

    /*! Waits until \p time, but until \p timeout_us from now at most. */
    void wait(int64_t time, long timeout_us) const;

    /*! Become the transmitter of \p user. \throws std::runtime_error when there is another one */
    void claim(int user);
    void disclaim(int user);

    /*! Send \p samples of \p user, times \p gain, from \p time on. */
    void write(int user, int64_t time, const gr_complex* samples, int count, float gain);

    /*! What \p user sends at \p time and after; zeros where it does not. */
    void read(int user, int64_t time, gr_complex* samples, int count) const;

private:
    using stamp = std::atomic<int64_t>;

    struct header;

    bool open_file();
    void make_or_check();
    void map(size_t size);
    void check_agreement() const;
    size_t size() const;
    stamp& stamp_of(int user, int64_t block) const;
    gr_complex* samples_of(int user, int64_t block) const;

    const medium_settings d_settings;
    const std::string d_path;
    const int64_t d_n_blocks;
    int d_file = -1;
    char* d_memory = nullptr;
    size_t d_size = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_SOAPY_MEDIUM_H */
