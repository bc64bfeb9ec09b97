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

// A phasor after a number of cycles; whole cycles are dropped before precision is lost to them.
complexd phasor(double cycles)
{
    const double angle = 2.0 * M_PI * (cycles - std::floor(cycles));
    return { std::cos(angle), std::sin(angle) };
}

// first * step^i for i = 0 .. count-1, in planar single precision. The recursion runs in double,
// whose rounding stays far below a float's over any array that fits into memory.
void progression(const complexd& first, const complexd& step, int count, float* re, float* im)
{
    double x = first.real(), y = first.imag();
    for (int i = 0; i < count; i++) {
        re[i] = float(x);
        im[i] = float(y);
        const double next = x * step.real() - y * step.imag();
        y = x * step.imag() + y * step.real();
        x = next;
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
          d_along_rows_re(size_t(parameters.n_paths) * parameters.shape.rows),
          d_along_rows_im(d_along_rows_re.size()),
          d_along_cols_re(size_t(parameters.n_paths) * (parameters.shape.cols + tile)),
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

    // Gain and direction of a path at the centre of a subarray, as progressions along rows and
    // columns.
    void plane_wave(const hybrid_field_path& path, int subarray, int index)
    {
        const auto& p = d_parameters;
        const int rows = p.shape.rows, cols = p.shape.cols;
        const double half = 0.5 * p.spacing * p.wavelength;
        const double centre_x = p.origins[2 * subarray] + half * (cols - 1);
        const double centre_y = p.origins[2 * subarray + 1] + half * (rows - 1);
        const double sin_el = std::sin(path.elevation);
        double ux = sin_el * std::cos(path.azimuth), uy = sin_el * std::sin(path.azimuth);
        double advance = ux * centre_x + uy * centre_y;
        if (path.near) {
            const double dx = path.distance * ux - centre_x, dy = path.distance * uy - centre_y;
            const double dz = path.distance * std::cos(path.elevation);
            const double distance = std::sqrt(dx * dx + dy * dy + dz * dz);
            advance = -distance;
            ux = dx / distance;
            uy = dy / distance;
        }
        const double step_x = p.spacing * ux, step_y = p.spacing * uy;
        const double delay_cycles = p.carrier_frequency * path.delay;
        const double corner = advance / p.wavelength - (delay_cycles - std::floor(delay_cycles)) -
                              0.5 * (step_x * (cols - 1) + step_y * (rows - 1));
        progression(path.amplitude * phasor(corner),
                    phasor(step_y),
                    rows,
                    &d_along_rows_re[size_t(index) * rows],
                    &d_along_rows_im[size_t(index) * rows]);
        progression(1.0,
                    phasor(step_x),
                    cols,
                    &d_along_cols_re[size_t(index) * (cols + tile)],
                    &d_along_cols_im[size_t(index) * (cols + tile)]);
    }

    void subarray_response(const hybrid_field_path* paths, int subarray)
    {
        const int rows = d_parameters.shape.rows, cols = d_parameters.shape.cols;
        for (int l = 0; l < d_parameters.n_paths; l++)
            plane_wave(paths[l], subarray, l);
        const size_t at = size_t(subarray) * rows * cols;
        superpose(d_along_rows_re.data(),
                  d_along_rows_im.data(),
                  d_along_cols_re.data(),
                  d_along_cols_im.data(),
                  d_parameters.n_paths,
                  rows,
                  cols,
                  &d_re[at],
                  &d_im[at]);
    }

    hybrid_field_parameters d_parameters;
    std::vector<float> d_along_rows_re, d_along_rows_im; // [L][rows], the path gain included
    std::vector<float> d_along_cols_re, d_along_cols_im; // [L][cols + tile]
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
