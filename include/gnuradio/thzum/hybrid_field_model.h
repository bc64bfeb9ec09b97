/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_HYBRID_FIELD_MODEL_H
#define INCLUDED_THZUM_HYBRID_FIELD_MODEL_H

#include <gnuradio/gr_complex.h>
#include <gnuradio/thzum/api.h>
#include <gnuradio/thzum/array_shape.h>
#include <complex>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace gr {
namespace thzum {

/*!
 * \brief Array and path statistics of a hybrid_field_model.
 *
 * The numbers of the presets stand in the Python package; parameters(preset(name)) of
 * gnuradio.thzum.channel.native fills this from them.
 */
struct hybrid_field_parameters {
    array_shape shape;           /*!< subarrays and their rows and columns */
    std::vector<double> origins; /*!< [S][2] first element of each subarray (x, y) in m */
    double spacing;              /*!< element spacing in wavelengths, > 0 */
    double carrier_frequency;    /*!< in Hz */
    double wavelength;           /*!< in m; speed of light = wavelength * frequency */
    double rayleigh_distance;    /*!< in m; nearer sources have spherical wavefronts */
    int n_paths;                 /*!< L, the line of sight included */
    double los_distance;         /*!< distance of the user in m */
    double scatterer_min;        /*!< nearest scatterer in m */
    double scatterer_max;        /*!< farthest scatterer in m */
    double delay_spread;         /*!< reflections arrive up to this fraction later, >= 0 */
    std::complex<double> refractive_index; /*!< of the reflecting surfaces (Fresnel, TE) */
    double surface_roughness;              /*!< rms height in m */
};

/*! One path of a channel. */
struct hybrid_field_path {
    double amplitude; /*!< relative to the line of sight */
    double delay;     /*!< in s */
    double distance;  /*!< of the path's last source from the array origin, in m */
    double elevation; /*!< from the array normal, in radians */
    double azimuth;   /*!< in radians */
    bool near;        /*!< spherical wavefront over the array */
};

/*!
 * \brief Random hybrid near- and far-field multipath channels of an array of subarrays.
 *
 * h = sum_l a_l exp(-j 2 pi f tau_l) v_l, where v_l is a plane wave when the source of path l lies
 * beyond the Rayleigh distance and a spherical wave otherwise (Yu et al., IEEE JSTSP 2023). The
 * spherical wave is exact at each subarray's centre and of second order within the subarray. Same model
 * as the Python class HybridFieldChannel, written for speed.
 *
 * Allocates at construction only; serves one thread at a time.
 */
class THZUM_API hybrid_field_model
{
public:
    using sptr = std::shared_ptr<hybrid_field_model>;

    /*! \throws std::invalid_argument naming the parameter, what was expected and what came */
    static sptr make(const hybrid_field_parameters& parameters);

    virtual ~hybrid_field_model() = default;
    virtual const hybrid_field_parameters& parameters() const = 0;

    /*!
     * \brief Draw the paths of \p batch channels, line of sight first.
     *
     * Uniform numbers are made from the generator's bits alone, so a seed gives the same paths with
     * every standard library.
     * \param paths [batch][n_paths]
     */
    virtual void draw_paths(std::mt19937_64& generator, hybrid_field_path* paths, int batch) = 0;

    /*!
     * \brief Channels of given paths, each scaled to ||h||^2 = N.
     * \param paths [batch][n_paths], finite
     * \param h [batch][N]; a channel without power stays zero
     */
    virtual void response(const hybrid_field_path* paths, gr_complex* h, int batch) = 0;

    /*! One line with every setting. */
    virtual std::string repr() const = 0;
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_HYBRID_FIELD_MODEL_H */
