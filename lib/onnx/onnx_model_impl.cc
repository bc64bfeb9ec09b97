/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "onnx/model_card.h"
#include "onnx/onnx_model_impl.h"
#include "onnx/session.h"
#include <algorithm>
#include <numeric>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace thzum {

namespace {

constexpr const char* card_prefix = "thzum.";

std::string dims_text(const std::vector<int64_t>& dims)
{
    std::string text = "[";
    for (size_t i = 0; i < dims.size(); i++)
        text += (i ? "," : "") + (dims[i] < 0 ? "any" : std::to_string(dims[i]));
    return text + "]";
}

bool fits(const std::vector<int64_t>& declared, const std::vector<int64_t>& wanted)
{
    return declared.size() == wanted.size() && !wanted.empty() &&
           std::equal(
               declared.begin(), declared.end(), wanted.begin(), [](int64_t have, int64_t want) {
                   return want > 0 && (have < 0 || have == want);
               });
}

std::string ports_text(const std::vector<onnx_model::port>& ports)
{
    std::string text;
    for (const auto& port : ports)
        text += (text.empty() ? "" : " ") + port.name + dims_text(port.dims);
    return text;
}

} // namespace

onnx_model::sptr onnx_model::make(const std::string& path, const std::string& task, int threads)
{
    if (threads < 1 || threads > 256)
        throw std::invalid_argument("threads: expected 1 to 256, got " + std::to_string(threads));
    return std::make_shared<onnx_model_impl>(path, task, threads);
}

std::string onnx_model::runtime_version() { return OrtGetApiBase()->GetVersionString(); }

onnx_model_impl::onnx_model_impl(const std::string& path, const std::string& task, int threads)
    : d_path(path),
      d_threads(threads),
      d_env(onnx_environment()),
      d_session(open_onnx_session(*d_env, path, threads)),
      d_memory(Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault))
{
    read_card();
    check_model_card(d_path, d_card, task);
    read_ports();
}

void onnx_model_impl::read_card()
{
    Ort::AllocatorWithDefaultOptions allocator;
    const auto metadata = d_session.GetModelMetadata();
    const std::string prefix = card_prefix;
    for (const auto& key : metadata.GetCustomMetadataMapKeysAllocated(allocator)) {
        const std::string name = key.get();
        if (name.compare(0, prefix.size(), prefix) != 0)
            continue;
        const auto value = metadata.LookupCustomMetadataMapAllocated(key.get(), allocator);
        d_card[name.substr(prefix.size())] = value ? value.get() : "";
    }
}

void onnx_model_impl::read_ports()
{
    Ort::AllocatorWithDefaultOptions allocator;
    const auto add = [this](side& to, const char* name, const Ort::TypeInfo& type) {
        if (type.GetONNXType() != ONNX_TYPE_TENSOR ||
            type.GetTensorTypeAndShapeInfo().GetElementType() !=
                ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)
            throw std::runtime_error("model " + d_path + ": port '" + name +
                                     "' is expected to be a float32 tensor; export it so");
        to.ports.push_back({ name, type.GetTensorTypeAndShapeInfo().GetShape() });
        to.buffers.emplace_back();
    };
    for (size_t i = 0; i < d_session.GetInputCount(); i++)
        add(d_inputs,
            d_session.GetInputNameAllocated(i, allocator).get(),
            d_session.GetInputTypeInfo(i));
    for (size_t i = 0; i < d_session.GetOutputCount(); i++)
        add(d_outputs,
            d_session.GetOutputNameAllocated(i, allocator).get(),
            d_session.GetOutputTypeInfo(i));
}

const std::string& onnx_model_impl::text(const std::string& key) const
{
    const auto entry = d_card.find(key);
    if (entry == d_card.end())
        throw std::runtime_error("model " + d_path + ": its card has no entry thzum." + key +
                                 "; export it again with one, as docs/onnx-contract.md says");
    return entry->second;
}

double onnx_model_impl::number(const std::string& key) const
{
    const auto values = numbers(key);
    if (values.size() != 1)
        throw std::runtime_error("model " + d_path + ": card entry thzum." + key +
                                 " expects one number, got '" + text(key) +
                                 "'; export the model again with a correct card");
    return values.front();
}

std::vector<double> onnx_model_impl::numbers(const std::string& key) const
{
    return parse_card_numbers(d_path, key, text(key));
}

int onnx_model_impl::find(const side& ports, const char* kind, const std::string& name) const
{
    for (size_t i = 0; i < ports.ports.size(); i++)
        if (ports.ports[i].name == name)
            return static_cast<int>(i);
    throw std::runtime_error("model " + d_path + ": expected an " + kind + " named '" + name +
                             "', got " + ports_text(ports.ports) + "; name it so when exporting");
}

float*
onnx_model_impl::reserve(side& ports, const char* kind, int index, const std::vector<int64_t>& dims)
{
    const auto& declared = ports.ports.at(index);
    if (!fits(declared.dims, dims))
        throw std::runtime_error("model " + d_path + ": " + kind + " '" + declared.name +
                                 "' is expected to take " + dims_text(dims) + ", got " +
                                 dims_text(declared.dims) +
                                 "; give a model made for this array, or export it with "
                                 "dynamic sizes");
    const auto size =
        std::accumulate(dims.begin(), dims.end(), int64_t(1), std::multiplies<int64_t>());
    auto& memory = ports.buffers[index];
    d_bound.clear();
    memory.dims = dims;
    memory.data.assign(size, 0.0f);
    return memory.data.data();
}

float* onnx_model_impl::reserve_input(int index, const std::vector<int64_t>& dims)
{
    return reserve(d_inputs, "input", index, dims);
}

const float* onnx_model_impl::reserve_output(int index, const std::vector<int64_t>& dims)
{
    return reserve(d_outputs, "output", index, dims);
}

int64_t onnx_model_impl::reserved_batch(const side& ports, const char* kind) const
{
    auto largest = std::numeric_limits<int64_t>::max();
    for (size_t i = 0; i < ports.ports.size(); i++) {
        if (ports.buffers[i].dims.empty())
            throw std::runtime_error("model " + d_path + ": " + kind + " '" + ports.ports[i].name +
                                     "' was not reserved before run()");
        largest = std::min(largest, ports.buffers[i].dims.front());
    }
    return largest;
}

Ort::Value onnx_model_impl::tensor(buffer& memory, int64_t batch)
{
    auto dims = memory.dims;
    const auto item = memory.data.size() / dims.front();
    dims.front() = batch;
    return Ort::Value::CreateTensor<float>(
        d_memory, memory.data.data(), item * batch, dims.data(), dims.size());
}

void onnx_model_impl::bind(bound_batch& bound, int64_t batch)
{
    bound.binding = Ort::IoBinding(d_session);
    for (size_t i = 0; i < d_inputs.ports.size(); i++) {
        bound.values.push_back(tensor(d_inputs.buffers[i], batch));
        bound.binding.BindInput(d_inputs.ports[i].name.c_str(), bound.values.back());
    }
    for (size_t i = 0; i < d_outputs.ports.size(); i++) {
        bound.values.push_back(tensor(d_outputs.buffers[i], batch));
        bound.binding.BindOutput(d_outputs.ports[i].name.c_str(), bound.values.back());
    }
}

void onnx_model_impl::run(int64_t batch)
{
    if (d_bound.empty())
        d_bound.resize(
            std::min(reserved_batch(d_inputs, "input"), reserved_batch(d_outputs, "output")));
    if (batch < 1 || batch > static_cast<int64_t>(d_bound.size()))
        throw std::runtime_error("model " + d_path + ": batch expected from 1 to " +
                                 std::to_string(d_bound.size()) + ", got " + std::to_string(batch));
    auto& bound = d_bound[batch - 1];
    try {
        if (bound.values.empty())
            bind(bound, batch);
        d_session.Run(d_run_options, bound.binding);
    } catch (const Ort::Exception& error) {
        bound = bound_batch();
        throw std::runtime_error(
            "model " + d_path + ": the network failed on a batch of " + std::to_string(batch) +
            "; check that its sizes are dynamic where the input's are (" + error.what() + ")");
    }
}

std::string onnx_model_impl::repr() const
{
    const auto task = d_card.find("task");
    std::ostringstream out;
    out << "onnx_model(" << d_path << ", task=" << task->second
        << ", inputs=" << ports_text(d_inputs.ports) << ", outputs=" << ports_text(d_outputs.ports)
        << ", threads=" << d_threads << ", ONNX Runtime " << runtime_version() << ")";
    return out.str();
}

} // namespace thzum
} // namespace gr
