/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-thzum authors.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_THZUM_ONNX_MODEL_H
#define INCLUDED_THZUM_ONNX_MODEL_H

#include <gnuradio/thzum/api.h>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace thzum {

/*! The model card: metadata of an ONNX file under the prefix "thzum.", without the prefix. */
using model_card = std::map<std::string, std::string>;

/*!
 * \brief One ONNX Runtime session with the model card that it must carry.
 *
 * Input and output buffers belong to the object, sized for the largest shape announced at
 * construction; run() does no allocation of its own. Serves one thread at a time.
 */
class THZUM_API onnx_model
{
public:
    using sptr = std::shared_ptr<onnx_model>;

    /*! Name and dimensions of an input or output; -1 is dynamic. */
    struct port {
        std::string name;
        std::vector<int64_t> dims;
    };

    /*!
     * \param path model file
     * \param task the card's "task" must equal this
     * \param threads intra-op threads
     * \throws std::runtime_error naming the file and the reason: missing, not ONNX or damaged, no
     * model card, an unknown card version, another task, an operator this runtime does not know
     */
    static sptr make(const std::string& path, const std::string& task, int threads = 1);

    virtual ~onnx_model() = default;
    virtual const std::string& path() const = 0;
    virtual const model_card& card() const = 0;
    virtual const std::vector<port>& inputs() const = 0;
    virtual const std::vector<port>& outputs() const = 0;

    /*! A card entry; std::runtime_error naming file and key when it is missing. */
    virtual const std::string& text(const std::string& key) const = 0;

    /*! A numeric card entry; std::runtime_error when it is missing or not a number. */
    virtual double number(const std::string& key) const = 0;

    /*! A card entry of comma-separated numbers. */
    virtual std::vector<double> numbers(const std::string& key) const = 0;

    /*! Index of the input called \p name; std::runtime_error listing those there are. */
    virtual int input(const std::string& name) const = 0;

    /*! Index of the output called \p name. */
    virtual int output(const std::string& name) const = 0;

    /*!
     * \brief Reserve the buffer of input \p index and return it, zeroed.
     * \param dims the largest shape to come; the first dimension is the batch
     * \throws std::runtime_error naming file, port, expected and got when the model fixes other
     * sizes
     */
    virtual float* reserve_input(int index, const std::vector<int64_t>& dims) = 0;

    /*! Reserve the buffer of output \p index. */
    virtual const float* reserve_output(int index, const std::vector<int64_t>& dims) = 0;

    /*!
     * \brief Run on the reserved buffers with the first dimension of every port set to \p batch.
     *
     * The first run of a batch size binds its tensors; later ones allocate nothing on this side.
     * \throws std::runtime_error when a port was not reserved, \p batch exceeds what was reserved,
     * or the network fails
     */
    virtual void run(int64_t batch) = 0;

    /*! One line with file, task, ports and threads. */
    virtual std::string repr() const = 0;

    /*!
     * \brief Path of a model shipped with the module, such as "fpn_oamp".
     *
     * Looked for in the folder that the environment variable THZUM_MODELS names, then in
     * share/gr-thzum/models of the prefix the library is installed in.
     * \throws std::runtime_error listing the places searched
     */
    static std::string shipped(const std::string& name);

    /*! Version of the ONNX Runtime library in use. */
    static std::string runtime_version();
};

} // namespace thzum
} // namespace gr

#endif /* INCLUDED_THZUM_ONNX_MODEL_H */
