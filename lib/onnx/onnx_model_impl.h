/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ONNX_ONNX_MODEL_IMPL_H
#define INCLUDED_THZUM_ONNX_ONNX_MODEL_IMPL_H

#include <gnuradio/thzum/onnx_model.h>
#include <onnxruntime_cxx_api.h>
#include <volk/volk_alloc.hh>

namespace gr {
namespace thzum {

class onnx_model_impl : public onnx_model
{
public:
    onnx_model_impl(const std::string& path, const std::string& task, int threads);

    const std::string& path() const override { return d_path; }
    const model_card& card() const override { return d_card; }
    const std::vector<port>& inputs() const override { return d_inputs.ports; }
    const std::vector<port>& outputs() const override { return d_outputs.ports; }
    const std::string& text(const std::string& key) const override;
    double number(const std::string& key) const override;
    std::vector<double> numbers(const std::string& key) const override;
    int input(const std::string& name) const override { return find(d_inputs, "input", name); }
    int output(const std::string& name) const override { return find(d_outputs, "output", name); }
    float* reserve_input(int index, const std::vector<int64_t>& dims) override;
    const float* reserve_output(int index, const std::vector<int64_t>& dims) override;
    void run(int64_t batch) override;
    std::string repr() const override;

private:
    /*! The buffer of one port and the shape it was reserved for. */
    struct buffer {
        volk::vector<float> data;
        std::vector<int64_t> dims;
    };

    /*! Inputs or outputs: what the model declares and what was reserved. */
    struct side {
        std::vector<port> ports;
        std::vector<buffer> buffers;
    };

    /*! Tensors of one batch size, bound to the buffers. */
    struct bound_batch {
        Ort::IoBinding binding{ nullptr };
        std::vector<Ort::Value> values;
    };

    void read_card();
    void read_ports();
    int find(const side& ports, const char* kind, const std::string& name) const;
    float* reserve(side& ports, const char* kind, int index, const std::vector<int64_t>& dims);
    int64_t reserved_batch(const side& ports, const char* kind) const;
    Ort::Value tensor(buffer& memory, int64_t batch);
    void bind(bound_batch& bound, int64_t batch);

    std::string d_path;
    int d_threads;
    std::shared_ptr<Ort::Env> d_env; // outlives the session, whatever the order at exit
    Ort::Session d_session{ nullptr };
    Ort::RunOptions d_run_options;
    Ort::MemoryInfo d_memory;
    model_card d_card;
    side d_inputs;
    side d_outputs;
    std::vector<bound_batch> d_bound; // index: batch - 1
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ONNX_ONNX_MODEL_IMPL_H */
