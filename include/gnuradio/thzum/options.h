/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_OPTIONS_H
#define INCLUDED_THZUM_OPTIONS_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/api.h>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace gr {
namespace thzum {

/*! Value of an algorithm option; matrices travel as flat row-major vectors. */
using option_value = std::variant<bool, double, std::string, std::vector<gr_complex>>;

/*! Options of an algorithm by name. */
using option_map = std::map<std::string, option_value>;

/*! One option as a registry describes it. */
struct option_info {
    std::string name;
    option_value default_value;
    std::string description; /*!< with unit and allowed range */
};

/*! One algorithm as a registry describes it. */
struct algorithm_info {
    std::string name;
    std::string description; /*!< one line */
    std::vector<option_info> options;
};

/*! Whether the algorithm \p name of a registry has the option \p option; false for unknown names. */
THZUM_API bool takes_option(const std::vector<algorithm_info>& registry,
                            const std::string& name,
                            const std::string& option);

/*!
 * \brief Typed reading of options with defaults and clear errors.
 *
 * Construction throws std::invalid_argument when \p given holds an option that \p info does not
 * list (the message lists those it does) or a value of another type than the default's.
 */
class THZUM_API option_reader
{
public:
    option_reader(const algorithm_info& info, const option_map& given);

    bool flag(const std::string& name) const;
    double number(const std::string& name, double min, double max) const;
    int integer(const std::string& name, int min, int max) const;
    const std::string& text(const std::string& name) const;

    /*! A text option that must be one of \p choices. */
    const std::string& choice(const std::string& name,
                              const std::vector<std::string>& choices) const;

    const std::vector<gr_complex>& values(const std::string& name) const;

private:
    template <class T>
    const T& get(const std::string& name) const;

    std::string d_algorithm;
    option_map d_values;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_OPTIONS_H */
