/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_DICTIONARY_H
#define INCLUDED_THZUM_DICTIONARY_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/api.h>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Orthonormal dictionary of one subarray: h = D c with D^H D = I.
 *
 * h is a subarray response, ordered [row][column]; c are its coefficients. An object owns its
 * scratch memory: it allocates when it is built, never in analyze() or synthesize(), and serves one
 * thread.
 */
class THZUM_API dictionary
{
public:
    using sptr = std::shared_ptr<dictionary>;

    /*!
     * \brief A dictionary by name.
     *
     * \param name one of names(): "identity"; "dft", the orthonormal 2-D DFT (angular domain), of
     *        which c is F^H h; "visible_region", see gr::thzum::visible_region
     * \param rows,cols elements of the subarray along y and x
     * \param spacing element spacing in wavelengths; only "visible_region" uses it
     * \throws std::invalid_argument naming the argument, what was expected and what came
     */
    static sptr make(const std::string& name, int rows, int cols, double spacing = 0.2);

    /*! Names that make() knows. */
    static std::vector<std::string> names();

    virtual ~dictionary() = default;
    virtual std::string name() const = 0;
    virtual int rows() const = 0;
    virtual int cols() const = 0;

    /*! Number of coefficients k of one subarray, at most rows * cols. */
    virtual int coefficients() const = 0;

    /*! c = D^H h for \p count subarray responses: [count][rows*cols] -> [count][coefficients]. */
    virtual void analyze(const gr_complex* h, gr_complex* c, int count) = 0;

    /*! h = D c, the reverse of analyze(). */
    virtual void synthesize(const gr_complex* c, gr_complex* h, int count) = 0;
};

/*!
 * \brief Subspace of the plane waves that a densely spaced subarray can see.
 *
 * With elements closer than half a wavelength, plane waves occupy |u| <= spacing cycles per element
 * on each axis. The discrete prolate spheroidal (Slepian) sequences of a half bandwidth a little
 * above the spacing span them (Slepian, Bell Syst. Tech. J. 1978). A zoom DFT of the coefficients
 * is an image-like domain with oversampling in which networks work.
 */
class THZUM_API visible_region : public dictionary
{
public:
    using sptr = std::shared_ptr<visible_region>;

    /*! Settings of one axis. */
    struct axis {
        int size;              /*!< elements */
        int n_slepian;         /*!< sequences kept */
        double half_bandwidth; /*!< cycles per element */
        int grid;              /*!< zoom-DFT bins */
        double span;           /*!< bins lie uniformly on [-span, span] cycles per element */

        /*! Settings for \p size elements \p spacing wavelengths apart; 16 elements at 0.2 give 10
         * sequences of half bandwidth 0.205 and 12 bins over +-0.215. */
        static axis for_spacing(int size, double spacing);
    };

    static sptr make(const axis& row_axis, const axis& col_axis);

    virtual const axis& row_axis() const = 0;
    virtual const axis& col_axis() const = 0;

    /*! Zoom DFT of \p count coefficient sets: [count][k] -> float [count][2][grid_rows][grid_cols]
     * (real part, imaginary part). Odd Slepian sequences carry a factor j, so the transform is a
     * real matrix on each axis. */
    virtual void image(const gr_complex* c, float* image, int count) = 0;

    /*! Least-squares inverse of image(). */
    virtual void from_image(const float* image, gr_complex* c, int count) = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_DICTIONARY_H */
