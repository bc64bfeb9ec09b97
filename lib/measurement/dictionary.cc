/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "measurement/checks.h"
#include "measurement/separable_transform.h"
#include <gnuradio/thzum/dictionary.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

class identity_dictionary : public dictionary
{
public:
    identity_dictionary(int rows, int cols) : d_rows(rows), d_cols(cols) {}

    std::string name() const override { return "identity"; }
    int rows() const override { return d_rows; }
    int cols() const override { return d_cols; }
    int coefficients() const override { return d_rows * d_cols; }

    void analyze(const gr_complex* h, gr_complex* c, int count) override
    {
        std::copy_n(h, size_t(count) * coefficients(), c);
    }

    void synthesize(const gr_complex* c, gr_complex* h, int count) override
    {
        std::copy_n(c, size_t(count) * coefficients(), h);
    }

private:
    const int d_rows;
    const int d_cols;
};

/*! F^H of one axis: exp(2 pi j k m / size) / sqrt(size). */
Eigen::MatrixXcd inverse_dft(int size)
{
    Eigen::MatrixXcd dft(size, size);
    for (int k = 0; k < size; k++)
        for (int m = 0; m < size; m++)
            dft(k, m) = std::polar(1 / std::sqrt(double(size)), 2 * M_PI * (k * m % size) / size);
    return dft;
}

/*! Angular domain, by small matrices: at subarray sizes they are no slower than planned transforms.
 */
class dft_dictionary : public dictionary
{
public:
    dft_dictionary(int rows, int cols)
        : d_rows(rows),
          d_cols(cols),
          d_analysis(inverse_dft(rows), inverse_dft(cols)),
          d_synthesis(inverse_dft(rows).conjugate(), inverse_dft(cols).conjugate())
    {
    }

    std::string name() const override { return "dft"; }
    int rows() const override { return d_rows; }
    int cols() const override { return d_cols; }
    int coefficients() const override { return d_rows * d_cols; }

    void analyze(const gr_complex* h, gr_complex* c, int count) override
    {
        for (int i = 0; i < count * coefficients(); i += coefficients())
            d_analysis.apply(h + i, c + i);
    }

    void synthesize(const gr_complex* c, gr_complex* h, int count) override
    {
        for (int i = 0; i < count * coefficients(); i += coefficients())
            d_synthesis.apply(c + i, h + i);
    }

private:
    const int d_rows;
    const int d_cols;
    separable_transform d_analysis;
    separable_transform d_synthesis;
};

} // namespace

std::vector<std::string> dictionary::names() { return { "identity", "dft", "visible_region" }; }

dictionary::sptr dictionary::make(const std::string& name, int rows, int cols, double spacing)
{
    check_positive("dictionary", "rows", rows);
    check_positive("dictionary", "cols", cols);
    if (name == "identity")
        return std::make_shared<identity_dictionary>(rows, cols);
    if (name == "dft")
        return std::make_shared<dft_dictionary>(rows, cols);
    if (name == "visible_region")
        return visible_region::make(visible_region::axis::for_spacing(rows, spacing),
                                    visible_region::axis::for_spacing(cols, spacing));
    std::string known;
    for (const auto& other : names())
        known += " '" + other + "'";
    throw std::invalid_argument("dictionary: name expects one of" + known + ", got '" + name + "'");
}

} // namespace thzum
} // namespace gr
