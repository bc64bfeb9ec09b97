/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "soapy/medium.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <limits>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr uint64_t magic = 0x3172694d75687a54;                   // version 1
constexpr int block_size = 256;                                  // samples with one stamp
constexpr int64_t nothing = std::numeric_limits<int64_t>::min(); // stamp of an empty block
constexpr size_t page = 4096;

// Bytes of the file that locks are put on; they need not hold anything.
constexpr off_t presence_byte = 0; // shared by all that are on the medium
constexpr off_t opening_byte = 1;  // while one comes or goes
constexpr off_t user_byte = 16;    // and following: the transmitter of a user

bool lock(int file, off_t byte, short kind, bool is_waiting)
{
    struct flock request {
    };
    request.l_type = kind;
    request.l_whence = SEEK_SET;
    request.l_start = byte;
    request.l_len = 1;
    int result;
    do
        result = fcntl(file, is_waiting ? F_OFD_SETLKW : F_OFD_SETLK, &request);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

std::string system_error() { return std::strerror(errno); }

std::string prefix() { return "thzum-" + std::to_string(getuid()) + "-"; }

// Removes a medium with nobody left, of processes that were killed.
void remove_if_abandoned(const std::string& path)
{
    const int file = shm_open(path.c_str(), O_RDWR | O_CLOEXEC, 0600);
    if (file < 0)
        return;
    if (lock(file, opening_byte, F_WRLCK, false) && lock(file, presence_byte, F_WRLCK, false))
        shm_unlink(path.c_str());
    close(file);
}

void remove_abandoned()
{
    DIR* folder = opendir("/dev/shm");
    if (!folder)
        return;
    while (const dirent* entry = readdir(folder))
        if (std::string(entry->d_name).rfind(prefix(), 0) == 0)
            remove_if_abandoned("/" + std::string(entry->d_name));
    closedir(folder);
}

// Media in use. Programs may end without closing their devices; then the last one still takes the
// memory away. Their threads may still run, so it stays mapped.
class media_in_use
{
public:
    ~media_in_use()
    {
        for (const auto& [file, path] : d_paths)
            leave(file, path);
    }

    void add(int file, const std::string& path)
    {
        std::lock_guard<std::mutex> guard(d_mutex);
        d_paths[file] = path;
    }

    void remove(int file)
    {
        std::lock_guard<std::mutex> guard(d_mutex);
        leave(file, d_paths[file]);
        d_paths.erase(file);
    }

private:
    static void leave(int file, const std::string& path)
    {
        lock(file, opening_byte, F_WRLCK, true);
        lock(file, presence_byte, F_UNLCK, false);
        if (lock(file, presence_byte, F_WRLCK, false))
            shm_unlink(path.c_str()); // the last one
        close(file);
    }

    std::mutex d_mutex;
    std::map<int, std::string> d_paths; // by file
};

media_in_use& in_use()
{
    static media_in_use all;
    return all;
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

} // namespace

struct medium::header {
    uint64_t magic;
    int64_t n_users;
    double sample_rate;
    double pace;
    int64_t room;
    uint64_t plan;
};

medium::medium(const medium_settings& settings)
    : d_settings(settings),
      d_path("/" + prefix() + settings.name),
      d_n_blocks(settings.room / block_size)
{
    remove_abandoned();
    try {
        while (!open_file())
            ;
        make_or_check();
        in_use().add(d_file, d_path);
    } catch (...) {
        if (d_memory)
            munmap(d_memory, d_size);
        if (d_file >= 0)
            close(d_file);
        throw;
    }
}

medium::~medium()
{
    munmap(d_memory, d_size);
    in_use().remove(d_file);
}

// Opens the file and keeps others from coming and going; false when it was just removed.
bool medium::open_file()
{
    d_file = shm_open(d_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d_file < 0)
        throw std::runtime_error("medium " + d_settings.name +
                                 ": no shared memory: " + system_error());
    if (!lock(d_file, opening_byte, F_WRLCK, true))
        throw std::runtime_error("medium " + d_settings.name +
                                 ": cannot be locked: " + system_error());
    struct stat state;
    if (fstat(d_file, &state) == 0 && state.st_nlink > 0)
        return true;
    close(d_file);
    d_file = -1;
    return false;
}

void medium::make_or_check()
{
    const bool is_alone = lock(d_file, presence_byte, F_WRLCK, false);
    if (is_alone) {
        if (ftruncate(d_file, 0) != 0 || posix_fallocate(d_file, 0, off_t(size())) != 0)
            throw std::runtime_error("medium " + d_settings.name + ": no room for " +
                                     std::to_string(size() >> 20) +
                                     " MiB of shared memory; lower room= or enlarge /dev/shm");
        map(size());
        for (int user = 0; user < d_settings.n_users; user++)
            for (int64_t block = 0; block < d_n_blocks; block++)
                stamp_of(user, block).store(nothing, std::memory_order_relaxed);
        const header head{ magic,           d_settings.n_users, d_settings.sample_rate,
                           d_settings.pace, d_settings.room,    d_settings.plan };
        std::memcpy(d_memory, &head, sizeof(head));
    } else {
        check_agreement();
        map(size());
    }
    lock(d_file, presence_byte, F_RDLCK, true);
    lock(d_file, opening_byte, F_UNLCK, false);
}

void medium::check_agreement() const
{
    header theirs{};
    if (pread(d_file, &theirs, sizeof(theirs), 0) != ssize_t(sizeof(theirs)) ||
        theirs.magic != magic)
        throw std::runtime_error("medium " + d_settings.name +
                                 " is in use by another version; take another name");
    std::ostringstream why;
    if (theirs.plan != d_settings.plan || theirs.n_users != d_settings.n_users)
        why << " another pilot plan (" << theirs.n_users << " users)";
    else if (theirs.sample_rate != d_settings.sample_rate || theirs.pace != d_settings.pace)
        why << " a sample rate of " << theirs.sample_rate << " Hz at pace " << theirs.pace
            << ", not " << d_settings.sample_rate << " Hz at pace " << d_settings.pace;
    else if (theirs.room != d_settings.room)
        why << " room=" << theirs.room << ", not " << d_settings.room;
    else
        return;
    throw std::runtime_error("medium " + d_settings.name + " is in use with" + why.str() +
                             "; give both ends the same arguments or take another medium=");
}

void medium::map(size_t size)
{
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, d_file, 0);
    if (memory == MAP_FAILED)
        throw std::runtime_error("medium " + d_settings.name +
                                 ": cannot map shared memory: " + system_error());
    d_memory = static_cast<char*>(memory);
    d_size = size;
}

size_t medium::size() const
{
    const size_t stamps = size_t(d_settings.n_users) * d_n_blocks * sizeof(stamp);
    return page + (stamps + page - 1) / page * page +
           size_t(d_settings.n_users) * d_settings.room * sizeof(gr_complex);
}

medium::stamp& medium::stamp_of(int user, int64_t block) const
{
    auto* stamps = reinterpret_cast<stamp*>(d_memory + page);
    return stamps[user * d_n_blocks + (block & (d_n_blocks - 1))];
}

gr_complex* medium::samples_of(int user, int64_t block) const
{
    const size_t stamps = size_t(d_settings.n_users) * d_n_blocks * sizeof(stamp);
    auto* samples =
        reinterpret_cast<gr_complex*>(d_memory + page + (stamps + page - 1) / page * page);
    return samples + user * d_settings.room + (block & (d_n_blocks - 1)) * block_size;
}

int64_t medium::now(double rate)
{
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return int64_t(double(time.tv_sec) * rate + double(time.tv_nsec) * 1e-9 * rate);
}

void medium::wait(int64_t time, long timeout_us) const
{
    const double rate = d_settings.sample_rate * d_settings.pace;
    const double due = std::min(double(time - now()) / rate, double(timeout_us) * 1e-6);
    if (due <= 0)
        return;
    const timespec pause{ time_t(due), long((due - std::floor(due)) * 1e9) };
    nanosleep(&pause, nullptr);
}

void medium::claim(int user)
{
    if (!lock(d_file, user_byte + user, F_WRLCK, false))
        throw std::runtime_error("medium " + d_settings.name + ": user " + std::to_string(user) +
                                 " has a transmitter already; stop it or take another channel");
}

void medium::disclaim(int user) { lock(d_file, user_byte + user, F_UNLCK, false); }

void medium::write(int user, int64_t time, const gr_complex* samples, int count, float gain)
{
    while (count > 0) {
        const int64_t block = floor_div(time, block_size);
        const int offset = int(time - block * block_size);
        const int piece = std::min(count, block_size - offset);
        gr_complex* to = samples_of(user, block);
        auto& number = stamp_of(user, block);
        if (number.load(std::memory_order_relaxed) != block) {
            number.store(nothing, std::memory_order_release);
            std::fill_n(to, block_size, gr_complex(0));
        }
        for (int i = 0; i < piece; i++)
            to[offset + i] = gain * samples[i];
        number.store(block, std::memory_order_release);
        samples += piece;
        time += piece;
        count -= piece;
    }
}

void medium::read(int user, int64_t time, gr_complex* samples, int count) const
{
    while (count > 0) {
        const int64_t block = floor_div(time, block_size);
        const int offset = int(time - block * block_size);
        const int piece = std::min(count, block_size - offset);
        if (stamp_of(user, block).load(std::memory_order_acquire) == block)
            std::copy_n(samples_of(user, block) + offset, piece, samples);
        else
            std::fill_n(samples, piece, gr_complex(0));
        samples += piece;
        time += piece;
        count -= piece;
    }
}

} // namespace thzum
} // namespace gr
