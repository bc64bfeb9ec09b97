/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "soapy/setup_command.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

extern char** environ;

namespace gr {
namespace thzum {

namespace {

// A file that is there as long as the object.
class temporary_file
{
public:
    temporary_file()
    {
        const char* folder = std::getenv("TMPDIR");
        d_path = std::string(folder && *folder ? folder : "/tmp") + "/thzum-radio-XXXXXX";
        const int file = mkstemp(d_path.data());
        if (file < 0)
            throw std::runtime_error("setup: cannot make a file such as " + d_path);
        close(file);
    }
    ~temporary_file() { std::remove(d_path.c_str()); }
    const std::string& path() const { return d_path; }

private:
    std::string d_path;
};

std::string text_of(const std::string& path)
{
    std::string text;
    if (FILE* file = std::fopen(path.c_str(), "r")) {
        for (int c; (c = std::fgetc(file)) != EOF;)
            text.push_back(char(c));
        std::fclose(file);
    }
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

// Runs a command with its error messages in a file; true when it succeeds.
bool run(std::vector<std::string> words, const std::string& messages)
{
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(
        &actions, STDERR_FILENO, messages.c_str(), O_WRONLY | O_TRUNC, 0600);
    pid_t child = 0;
    const int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    if (error != 0)
        throw std::invalid_argument("setup: the command thzum, which draws the channel, is not in "
                                    "PATH; install gr-thzum with Python or give setup=FILE");
    while (waitpid(child, &status, 0) < 0)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace

const std::set<std::string>& setup_keys()
{
    static const std::set<std::string> keys{
        "preset",    "config",      "plan",      "n_slots",
        "n_users",   "n_data",      "n_noise",   "samples_per_symbol",
        "plan_seed", "modulation",  "seed",      "beams",
        "rate",      "max_doppler", "coherence", "realisations"
    };
    return keys;
}

radio_setup setup_by_command(const SoapySDR::Kwargs& arguments)
{
    const temporary_file setup, messages;
    std::vector<std::string> words{ "thzum", "radio", "--out", setup.path() };
    for (const auto& [key, value] : arguments)
        if (setup_keys().count(key))
            words.push_back(key + "=" + value);
    if (!run(words, messages.path()))
        throw std::invalid_argument(text_of(messages.path()));
    return radio_setup::load(setup.path());
}

} // namespace thzum
} // namespace gr
