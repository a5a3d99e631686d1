// The problem of the CUDA example, and the library's part in it: a loss with its gradient on the
// host, and distance fields in half precision.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda_kernels.hpp"
#include "segloss.h"
#include "train_random.hpp"

namespace cuda_example {

struct Size {
  std::array<std::size_t, 3> extent;
  std::array<double, 3> spacing;  // mm
  std::size_t voxels() const { return extent[0] * extent[1] * extent[2]; }
};

struct Sample {
  Size size;
  std::vector<float> input;          // of the stand-in network, whose scores are twice it
  std::vector<float> scores;         // 2 x voxels, background first
  std::vector<std::uint8_t> labels;  // 1: lesion
};

// A wave of lesions, found with errors. `offset` moves all margins: far enough up or down, and the
// prediction is full or empty.
inline Sample make_sample(const Size& size, std::uint64_t seed, double offset = 0.0) {
  std::mt19937_64 random(seed);
  Sample sample{size, std::vector<float>(2 * size.voxels()), {}, {}};
  for (std::size_t i = 0; i < size.voxels(); ++i) {
    const auto z = static_cast<double>(i / (size.extent[1] * size.extent[2]));
    const auto y = static_cast<double>(i / size.extent[2] % size.extent[1]);
    const auto x = static_cast<double>(i % size.extent[2]);
    const double wave = std::sin(0.45 * z) * std::sin(0.31 * y + 0.5) * std::sin(0.27 * x + 1.0);
    sample.labels.push_back(wave > 0.6 ? 1 : 0);
    // A margin of nearly 0 may round to either side of a probability of 1/2, depending on whose exp
    // it is; the masks would differ for no fault of theirs.
    double margin = 6.0 * (wave - 0.65) + 0.3 * train::normal(random) + offset;
    if (std::abs(margin) < 0.01) margin = 0.01;
    sample.input[i] = static_cast<float>(-0.25 * margin);
    sample.input[size.voxels() + i] = static_cast<float>(0.25 * margin);
  }
  for (const float value : sample.input) sample.scores.push_back(2.0f * value);
  return sample;
}

// Anything but success becomes an exception; not to be thrown through a callback of CUDA.
inline void require(segloss_status status, const segloss_detail& detail, const char* call) {
  if (status == SEGLOSS_OK) return;
  throw std::runtime_error(std::string(call) + ": " + segloss_status_message(status) + " (" +
                           segloss_argument_name(detail.argument) + ')');
}

// A preset on samples of one size, with everything a call needs at hand.
class HostLoss {
 public:
  HostLoss(std::uint32_t preset, const Size& size, std::uint64_t workers) {
    require(segloss_loss_init(&loss_, sizeof loss_), detail_, "segloss_loss_init");
    require(segloss_input_init(&input_, sizeof input_), detail_, "segloss_input_init");
    require(segloss_gradient_init(&gradient_, sizeof gradient_), detail_, "segloss_gradient_init");
    require(segloss_preset(preset, terms_.data(), sizeof(segloss_term), terms_.size(),
                           &loss_.term_count),
            detail_, "segloss_preset");
    loss_.terms = terms_.data();
    input_.shape.classes = 2;
    input_.shape.axes = 3;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      input_.shape.extent[axis] = size.extent[axis];
      for (segloss_term& term : terms_) term.spacing[axis] = size.spacing[axis];
    }
    input_.scores.length = gradient_.values.length = 2 * size.voxels();
    input_.scores.type = gradient_.values.type = SEGLOSS_F32;
    input_.target.length = size.voxels();
    input_.target.type = SEGLOSS_U8;
    std::uint64_t bytes = 0;
    require(segloss_loss_scratch_size(&loss_, &input_, nullptr, workers, &bytes, &detail_), detail_,
            "segloss_loss_scratch_size");
    scratch_.resize(bytes);
  }
  HostLoss(const HostLoss&) = delete;
  HostLoss& operator=(const HostLoss&) = delete;

  // Throws nothing and calls nothing of CUDA; look at the status afterwards. Without an executor it
  // runs on this thread.
  void evaluate(const float* scores, const std::uint8_t* labels, float* gradient,
                const segloss_executor* executor) noexcept {
    input_.scores.data = scores;
    input_.target.data = labels;
    gradient_.values.data = gradient;
    status_ = segloss_loss_evaluate(&loss_, &input_, &gradient_, {scratch_.data(), scratch_.size()},
                                    executor, &result_, &detail_);
  }

  // Of the last evaluation, which must have been a success.
  double value() const {
    require(status_, detail_, "segloss_loss_evaluate");
    return result_.total;
  }

 private:
  std::array<segloss_term, 3> terms_{};
  segloss_loss loss_{};
  segloss_input input_{};
  segloss_gradient gradient_{};
  segloss_evaluation result_{};
  segloss_status status_ = SEGLOSS_OK;
  segloss_detail detail_{};
  std::vector<unsigned char> scratch_;
};

// Distance to the other phase, unsquared, in half precision.
class HalfField {
 public:
  HalfField(const Size& size, std::uint64_t workers) : voxels_(size.voxels()) {
    require(segloss_distance_init(&distance_, sizeof distance_), detail_, "segloss_distance_init");
    distance_.axes = 3;
    std::copy(size.extent.begin(), size.extent.end(), distance_.extent);
    std::copy(size.spacing.begin(), size.spacing.end(), distance_.spacing);
    distance_.side = SEGLOSS_SIDE_TWO_PHASE;
    distance_.field_type = SEGLOSS_F16;
    std::uint64_t bytes = 0;
    require(segloss_distance_scratch_size(&distance_, workers, &bytes, &detail_), detail_,
            "segloss_distance_scratch_size");
    scratch_.resize(bytes);
  }

  // `kind`: SEGLOSS_MASK_BYTES or SEGLOSS_MASK_BITS. Throws nothing and calls nothing of CUDA.
  void compute(std::uint32_t kind, const std::uint8_t* mask, std::uint16_t* field,
               const segloss_executor* executor) noexcept {
    segloss_mask values{};
    values.kind = kind;
    values.values = {mask, kind == SEGLOSS_MASK_BITS ? mask_bytes(voxels_) : voxels_, SEGLOSS_U8};
    status_ = segloss_distance_transform(&distance_, &values, {field, voxels_, SEGLOSS_F16},
                                         {scratch_.data(), scratch_.size()}, executor, &detail_);
  }

  // Throws unless the last transform was a success.
  void check() const { require(status_, detail_, "segloss_distance_transform"); }

 private:
  std::uint64_t voxels_;
  segloss_distance distance_{};
  segloss_status status_ = SEGLOSS_OK;
  segloss_detail detail_{};
  std::vector<unsigned char> scratch_;
};

// A value and a gradient, of whichever way.
struct Outcome {
  double value = 0.0;
  std::vector<float> gradient;
};

inline Outcome plain_evaluation(std::uint32_t preset, const Sample& sample) {
  HostLoss loss(preset, sample.size, 1);
  Outcome outcome{0.0, std::vector<float>(sample.scores.size())};
  loss.evaluate(sample.scores.data(), sample.labels.data(), outcome.gradient.data(), nullptr);
  outcome.value = loss.value();
  return outcome;
}

struct Difference {
  double value;     // relative
  double gradient;  // of the largest entry
};

inline Difference difference(const Outcome& found, const Outcome& expected) {
  double largest = 0.0, error = 0.0;
  for (std::size_t i = 0; i < expected.gradient.size(); ++i) {
    largest = std::max<double>(largest, std::abs(expected.gradient[i]));
    const double one = std::abs(static_cast<double>(found.gradient[i]) - expected.gradient[i]);
    if (std::isnan(one)) return {one, one};  // std::max would lose it
    error = std::max(error, one);
  }
  return {std::abs(found.value - expected.value) / std::abs(expected.value), error / largest};
}

// Half precision rounds distances to 2^-11 of themselves, squares to 2^-10 and a little more.
constexpr double kHalfPrecision = 1e-3;

inline bool within_half_precision(const Difference& difference) {
  return difference.value <= kHalfPrecision && difference.gradient <= kHalfPrecision;
}

}  // namespace cuda_example
