/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_PYTHON_ESTIMATES_H
#define INCLUDED_THZUM_PYTHON_ESTIMATES_H

#include "arrays.h"
#include <gnuradio/thzum/estimator.h>
#include <algorithm>
#include <limits>

/*! What the bindings of the estimators share: options of the array, noise variances, reports. */
namespace gr {
namespace thzum {

/*!
 * Takes "array" out of \p given, if it is there, and puts in those of the array's
 * estimator_options() that the estimator takes and that are not given.
 */
inline void
take_array(const std::vector<algorithm_info>& registry, const std::string& name, py::dict& given)
{
    if (!given.contains("array"))
        return;
    const py::object array = given["array"];
    given.attr("pop")("array");
    if (!py::hasattr(array, "estimator_options"))
        refuse("array", "a SubarrayArray", std::string(py::str(py::type::of(array))));
    for (const auto& [option, value] : array.attr("estimator_options")().cast<py::dict>())
        if (takes_option(registry, name, option.cast<std::string>()) && !given.contains(option))
            given[option] = value;
}

/*! One noise variance per item: a number for all, [B], or nothing. */
inline std::vector<float> noise_variances(const py::object& noise_var, int batch)
{
    if (noise_var.is_none())
        return {};
    const auto given = any_array(noise_var, "noise_var");
    if (given.ndim() > 1 || (given.ndim() == 1 && given.shape(0) != batch))
        refuse("noise_var",
               "a number or float32 of shape [" + std::to_string(batch) + "]",
               describe(given));
    const auto values = converted<float>(given, "noise_var");
    std::vector<float> variances(batch);
    for (int b = 0; b < batch; ++b) {
        variances[b] = values.data()[given.ndim() == 1 ? b : 0];
        if (!(variances[b] > 0.0f))
            refuse("noise_var", "values above 0", std::to_string(variances[b]));
    }
    return variances;
}

template <class T, class Member>
py::array_t<T>
column(const std::vector<estimate_report>& reports, bool batched, const Member& member)
{
    std::vector<py::ssize_t> dims;
    if (batched)
        dims.push_back(reports.size());
    py::array_t<T> values(dims);
    std::transform(reports.begin(), reports.end(), values.mutable_data(), member);
    return values;
}

/*! Histories side by side, [B, most iterations] with NaN past the end of each. */
inline py::array_t<float> histories(const std::vector<estimate_report>& reports, bool batched)
{
    int longest = 0;
    for (const auto& report : reports)
        longest = std::max(longest, report.iterations);
    std::vector<py::ssize_t> dims = { longest };
    if (batched)
        dims.insert(dims.begin(), reports.size());
    py::array_t<float> values(dims);
    float* out = values.mutable_data();
    for (const auto& report : reports)
        for (int t = 0; t < longest; ++t)
            *out++ = t < report.iterations ? report.residual_history[t]
                                           : std::numeric_limits<float>::quiet_NaN();
    return values;
}

inline py::dict to_dict(const std::vector<estimate_report>& reports, bool batched)
{
    using report = estimate_report;
    py::dict out;
    out["iterations"] =
        column<int32_t>(reports, batched, [](const report& r) { return r.iterations; });
    out["residual"] = column<float>(reports, batched, [](const report& r) { return r.residual; });
    out["noise_var"] = column<float>(reports, batched, [](const report& r) { return r.noise_var; });
    out["predicted_nmse_db"] =
        column<float>(reports, batched, [](const report& r) { return r.predicted_nmse_db; });
    out["contraction"] =
        column<float>(reports, batched, [](const report& r) { return r.contraction; });
    out["steps"] = column<int32_t>(reports, batched, [](const report& r) { return r.steps; });
    out["steps_saved"] =
        column<int32_t>(reports, batched, [](const report& r) { return r.steps_saved; });
    out["divergence"] =
        column<float>(reports, batched, [](const report& r) { return r.divergence; });
    out["unexplained_nmse"] =
        column<float>(reports, batched, [](const report& r) { return r.unexplained_nmse; });
    out["residual_history"] = histories(reports, batched);
    return out;
}

/*!
 * Runs an estimator of pilots of shape \p observed, with or without a leading batch axis.
 * \returns (h_hat of shape \p estimated, report)
 */
template <class Estimator>
py::tuple run_estimator(Estimator& self,
                        const py::object& y,
                        const py::object& noise_var,
                        const std::vector<py::ssize_t>& observed,
                        const std::vector<py::ssize_t>& estimated)
{
    const auto pilots = array_in<gr_complex>(y, "y", observed);
    const auto variances = noise_variances(noise_var, pilots.batch);
    auto h_hat = array_out<gr_complex>(pilots, estimated);
    gr_complex* out = h_hat.mutable_data();
    std::vector<estimate_report> reports(pilots.batch);
    {
        py::gil_scoped_release release;
        self.estimate(pilots.data(),
                      noise_var.is_none() ? nullptr : variances.data(),
                      pilots.batch,
                      out,
                      reports.data());
    }
    return py::make_tuple(h_hat, to_dict(reports, pilots.batched));
}

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_PYTHON_ESTIMATES_H */
