/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel/uniform.h"
#include "common/multiversion.h"
#include <gnuradio/thzum/hybrid_field_model.h>
#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

using complexd = std::complex<double>;

void check(const hybrid_field_parameters& p)
{
    const auto reject = [](const std::string& name, const std::string& expected, const auto& got) {
        std::ostringstream message;
        message << "hybrid_field_model: " << name << ": expected " << expected << ", got " << got;
        throw std::invalid_argument(message.str());
    };
    const auto positive = [&](const char* name, double value, bool zero_too = false) {
        if (!(std::isfinite(value) && (value > 0 || (zero_too && value == 0))))
            reject(name, zero_too ? "a finite number >= 0" : "a finite number > 0", value);
    };
    for (const auto& [name, value] : { std::pair{ "n_subarrays", p.shape.n_subarrays },
                                       std::pair{ "rows", p.shape.rows },
                                       std::pair{ "cols", p.shape.cols },
                                       std::pair{ "n_paths", p.n_paths } })
        if (value < 1)
            reject(name, "an integer of at least 1", value);
    if (p.origins.size() != size_t(2 * p.shape.n_subarrays))
        reject("origins",
               "[n_subarrays][2], " + std::to_string(2 * p.shape.n_subarrays) + " values",
               std::to_string(p.origins.size()) + " values");
    for (const double origin : p.origins)
        if (!std::isfinite(origin))
            reject("origins", "finite positions in m", origin);
    positive("spacing", p.spacing);
    positive("carrier_frequency", p.carrier_frequency);
    positive("wavelength", p.wavelength);
    positive("rayleigh_distance", p.rayleigh_distance, true);
    positive("los_distance", p.los_distance);
    positive("scatterer_min", p.scatterer_min);
    positive("scatterer_max", p.scatterer_max);
    if (p.scatterer_min > p.scatterer_max)
        reject("scatterer_min", "at most scatterer_max", p.scatterer_min);
    positive("delay_spread", p.delay_spread, true);
    positive("refractive_index", std::abs(p.refractive_index));
    positive("surface_roughness", p.surface_roughness, true);
}

// Without the special cases for infinities that the standard product has.
complexd multiply(const complexd& a, const complexd& b)
{
    return { a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real() };
}

// A phasor after a number of cycles; whole cycles are dropped before precision is lost to them.
complexd phasor(double cycles)
{
    const double angle = 2.0 * M_PI * (cycles - std::floor(cycles));
    return { std::cos(angle), std::sin(angle) };
}

// first * step^i * bend^(i^2) for i = 0 .. count-1, in planar single precision. The recursion runs in
// double, whose rounding stays far below a float's over any array that fits into memory.
void progression(complexd first, complexd step, const complexd& bend, int count, float* re, float* im)
{
    const complexd square = multiply(bend, bend);
    step = multiply(step, bend);
    for (int i = 0; i < count; i++) {
        re[i] = float(first.real());
        im[i] = float(first.imag());
        first = multiply(first, step);
        step = multiply(step, square);
    }
}

// Columns handled together; the tables along the columns are padded by as many.
constexpr int tile = 16;

// One subarray: out[r][c] = sum_l w[l][r] * u[l][c], by tiles of columns that stay in registers.
THZUM_MULTIVERSION
void superpose(const float* __restrict w_re,
               const float* __restrict w_im,
               const float* __restrict u_re,
               const float* __restrict u_im,
               int paths,
               int rows,
               int cols,
               float* __restrict out_re,
               float* __restrict out_im)
{
    for (int first = 0; first < cols; first += tile) {
        const int width = cols - first < tile ? cols - first : tile;
        for (int r = 0; r < rows; r++) {
            float re[tile] = {}, im[tile] = {};
            for (int l = 0; l < paths; l++) {
                const float a = w_re[l * rows + r], b = w_im[l * rows + r];
                const float* x = u_re + l * (cols + tile) + first;
                const float* y = u_im + l * (cols + tile) + first;
                for (int c = 0; c < tile; c++) {
                    re[c] += a * x[c] - b * y[c];
                    im[c] += a * y[c] + b * x[c];
                }
            }
            for (int c = 0; c < width; c++) {
                out_re[r * cols + first + c] = re[c];
                out_im[r * cols + first + c] = im[c];
            }
        }
    }
}

THZUM_MULTIVERSION
float power(const float* __restrict re, const float* __restrict im, int count)
{
    float sum = 0.0f;
    for (int i = 0; i < count; i++)
        sum += re[i] * re[i] + im[i] * im[i];
    return sum;
}

THZUM_MULTIVERSION
void interleave(const float* __restrict re,
                const float* __restrict im,
                float scale,
                float* __restrict out,
                int count)
{
    for (int i = 0; i < count; i++) {
        out[2 * i] = scale * re[i];
        out[2 * i + 1] = scale * im[i];
    }
}

class hybrid_field_model_impl : public hybrid_field_model
{
public:
    explicit hybrid_field_model_impl(const hybrid_field_parameters& parameters)
        : d_parameters(parameters),
          d_along_rows_re(size_t(2) * parameters.n_paths * parameters.shape.rows),
          d_along_rows_im(d_along_rows_re.size()),
          d_along_cols_re(size_t(2) * parameters.n_paths * (parameters.shape.cols + tile)),
          d_along_cols_im(d_along_cols_re.size()),
          d_re(parameters.shape.antennas()),
          d_im(d_re.size())
    {
    }

    const hybrid_field_parameters& parameters() const override { return d_parameters; }

    void draw_paths(std::mt19937_64& generator, hybrid_field_path* paths, int batch) override
    {
        for (int i = 0; i < batch * d_parameters.n_paths; i++)
            paths[i] = draw_path(generator, i % d_parameters.n_paths == 0);
    }

    void response(const hybrid_field_path* paths, gr_complex* h, int batch) override
    {
        const int antennas = d_parameters.shape.antennas();
        for (int b = 0; b < batch; b++) {
            for (int s = 0; s < d_parameters.shape.n_subarrays; s++)
                subarray_response(paths + size_t(b) * d_parameters.n_paths, s);
            const float total = power(d_re.data(), d_im.data(), antennas);
            interleave(d_re.data(),
                       d_im.data(),
                       total > 0.0f ? std::sqrt(antennas / total) : 0.0f,
                       reinterpret_cast<float*>(h + size_t(b) * antennas),
                       antennas);
        }
    }

    std::string repr() const override
    {
        const auto& p = d_parameters;
        std::ostringstream out;
        out << "hybrid_field_model(n_subarrays=" << p.shape.n_subarrays << ", rows=" << p.shape.rows
            << ", cols=" << p.shape.cols << ", spacing=" << p.spacing
            << ", carrier_frequency=" << p.carrier_frequency << ", n_paths=" << p.n_paths
            << ", los_distance=" << p.los_distance << ", scatterer_min=" << p.scatterer_min
            << ", scatterer_max=" << p.scatterer_max << ", delay_spread=" << p.delay_spread
            << ", refractive_index=" << p.refractive_index
            << ", surface_roughness=" << p.surface_roughness
            << ", rayleigh_distance=" << p.rayleigh_distance << ")";
        return out.str();
    }

private:
    // |Gamma| of Fresnel's equation (TE) times the Rayleigh roughness factor
    double reflection_amplitude(double incidence) const
    {
        const auto& p = d_parameters;
        const double cos_i = std::cos(incidence);
        const complexd sin_t = std::sin(incidence) / p.refractive_index;
        const complexd refracted = p.refractive_index * std::sqrt(1.0 - sin_t * sin_t);
        const double height = 2.0 * M_PI * p.surface_roughness / p.wavelength * cos_i;
        return std::abs((cos_i - refracted) / (cos_i + refracted)) *
               std::exp(-2.0 * height * height);
    }

    // Every path takes five numbers off the generator, so that the line of sight does not shift the
    // rest.
    hybrid_field_path draw_path(std::mt19937_64& generator, bool line_of_sight) const
    {
        const auto& p = d_parameters;
        const double los_delay = p.los_distance / (p.wavelength * p.carrier_frequency);
        hybrid_field_path path;
        path.delay = los_delay * (1.0 + p.delay_spread * uniform(generator));
        path.distance = p.scatterer_min + (p.scatterer_max - p.scatterer_min) * uniform(generator);
        path.amplitude = reflection_amplitude(0.5 * M_PI * uniform(generator));
        path.elevation = M_PI * (uniform(generator) - 0.5);
        path.azimuth = 2.0 * M_PI * (uniform(generator) - 0.5);
        if (line_of_sight) {
            path.delay = los_delay;
            path.distance = p.los_distance;
            path.amplitude = 1.0;
        }
        path.near = path.distance < p.rayleigh_distance;
        return path;
    }

    // What a path is at the centre of a subarray.
    struct local_wave {
        double advance;   // in m
        double ux, uy;    // direction cosines
        double curvature; // inverse distance in 1/m, 0 for a plane wave
    };

    local_wave wave_at(const hybrid_field_path& path, int subarray) const
    {
        const auto& p = d_parameters;
        const double half = 0.5 * p.spacing * p.wavelength;
        const double centre_x = p.origins[2 * subarray] + half * (p.shape.cols - 1);
        const double centre_y = p.origins[2 * subarray + 1] + half * (p.shape.rows - 1);
        const double sin_el = std::sin(path.elevation);
        const double ux = sin_el * std::cos(path.azimuth), uy = sin_el * std::sin(path.azimuth);
        if (!path.near)
            return { ux * centre_x + uy * centre_y, ux, uy, 0.0 };
        const double dx = path.distance * ux - centre_x, dy = path.distance * uy - centre_y;
        const double dz = path.distance * std::cos(path.elevation);
        const double distance = std::sqrt(dx * dx + dy * dy + dz * dz);
        return { -distance, dx / distance, dy / distance, 1.0 / distance };
    }

    // A path as progressions along rows and columns of a subarray, at place index of the tables. Its
    // distance to an element at (x, y) from the centre is to second order
    // d - (ux x + uy y) + ((x^2 + y^2) - (ux x + uy y)^2) / (2 d): squares of x and of y bend the
    // progressions, and their product follows as a second term of first order, see add_twist().
    void separable_wave(const hybrid_field_path& path, const local_wave& wave, int index)
    {
        const auto& p = d_parameters;
        const int rows = p.shape.rows, cols = p.shape.cols;
        const double step_x = p.spacing * wave.ux, step_y = p.spacing * wave.uy;
        const double bend = bend_of(wave);
        const double bend_x = bend * (1.0 - wave.ux * wave.ux);
        const double bend_y = bend * (1.0 - wave.uy * wave.uy);
        const double half_x = 0.5 * (cols - 1), half_y = 0.5 * (rows - 1);
        const double delay_cycles = p.carrier_frequency * path.delay;
        const double corner = wave.advance / p.wavelength -
                              (delay_cycles - std::floor(delay_cycles)) - step_x * half_x -
                              step_y * half_y - bend_x * half_x * half_x - bend_y * half_y * half_y;
        progression(path.amplitude * phasor(corner),
                    phasor(step_y + 2.0 * bend_y * half_y),
                    phasor(-bend_y),
                    rows,
                    &d_along_rows_re[size_t(index) * rows],
                    &d_along_rows_im[size_t(index) * rows]);
        progression(1.0,
                    phasor(step_x + 2.0 * bend_x * half_x),
                    phasor(-bend_x),
                    cols,
                    &d_along_cols_re[size_t(index) * (cols + tile)],
                    &d_along_cols_im[size_t(index) * (cols + tile)]);
    }

    // Cycles by which the wavefront lags one element away from the centre, at broadside.
    double bend_of(const local_wave& wave) const
    {
        const auto& p = d_parameters;
        return 0.5 * p.spacing * p.spacing * p.wavelength * wave.curvature;
    }

    // The wave at place index times j twist x y, as another one at place next.
    void add_twist(const local_wave& wave, int index, int next)
    {
        const int rows = d_parameters.shape.rows, cols = d_parameters.shape.cols;
        const double twist = 4.0 * M_PI * bend_of(wave) * wave.ux * wave.uy;
        const size_t row = size_t(index) * rows, row_to = size_t(next) * rows;
        for (int r = 0; r < rows; r++) {
            const float factor = static_cast<float>(twist * (r - 0.5 * (rows - 1)));
            d_along_rows_re[row_to + r] = -factor * d_along_rows_im[row + r];
            d_along_rows_im[row_to + r] = factor * d_along_rows_re[row + r];
        }
        const size_t col = size_t(index) * (cols + tile), col_to = size_t(next) * (cols + tile);
        for (int c = 0; c < cols; c++) {
            const float factor = static_cast<float>(c - 0.5 * (cols - 1));
            d_along_cols_re[col_to + c] = factor * d_along_cols_re[col + c];
            d_along_cols_im[col_to + c] = factor * d_along_cols_im[col + c];
        }
    }

    void subarray_response(const hybrid_field_path* paths, int subarray)
    {
        const int rows = d_parameters.shape.rows, cols = d_parameters.shape.cols;
        int waves = 0;
        for (int l = 0; l < d_parameters.n_paths; l++) {
            const local_wave wave = wave_at(paths[l], subarray);
            separable_wave(paths[l], wave, waves++);
            if (paths[l].near) {
                add_twist(wave, waves - 1, waves);
                waves++;
            }
        }
        const size_t at = size_t(subarray) * rows * cols;
        superpose(d_along_rows_re.data(),
                  d_along_rows_im.data(),
                  d_along_cols_re.data(),
                  d_along_cols_im.data(),
                  waves,
                  rows,
                  cols,
                  &d_re[at],
                  &d_im[at]);
    }

    hybrid_field_parameters d_parameters;
    std::vector<float> d_along_rows_re, d_along_rows_im; // [wave][rows], the path gain included
    std::vector<float> d_along_cols_re, d_along_cols_im; // [wave][cols + tile]
    std::vector<float> d_re, d_im;                       // [S][rows][cols], before scaling
};

} // namespace

hybrid_field_model::sptr hybrid_field_model::make(const hybrid_field_parameters& parameters)
{
    check(parameters);
    return std::make_shared<hybrid_field_model_impl>(parameters);
}

} // namespace thzum
} // namespace gr
