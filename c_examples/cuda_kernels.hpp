// What the kernels of the CUDA example compute, as functions that run on either side: kernels are
// loops around them, and without a device they are checked on the host (cuda_check.hpp).
//
// Two classes, background and lesion; scores are planar: all of the background, then all of the
// lesion. A thread that is number `thread` of `threads` takes every `threads`-th element, so that
// neighbours read neighbours, any grid serves, and sums do not depend on timing.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define CUDA_EXAMPLE_BOTH_SIDES __host__ __device__
#else
#define CUDA_EXAMPLE_BOTH_SIDES
#endif

namespace cuda_example {

// 1 / (1 + exp(-x)). exp overflows to infinity at worst, whose inverse is the 0 that is meant.
CUDA_EXAMPLE_BOTH_SIDES inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// Exact for every bit pattern. Not the intrinsic: this one can be tested without a device.
CUDA_EXAMPLE_BOTH_SIDES inline float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fu;
  const std::uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0) {  // zero and subnormal numbers: multiples of 2^-24
    const float size = static_cast<float>(mantissa) * 5.9604644775390625e-8f;
    return sign != 0 ? -size : size;
  }
  const std::uint32_t wide_exponent = exponent == 31 ? 255 : exponent + (127 - 15);
  const std::uint32_t bits = sign | wide_exponent << 23 | mantissa << 13;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// The stand-in for a network: scores are twice its input, which is exact on either side.
CUDA_EXAMPLE_BOTH_SIDES inline void forward(const float* input, std::uint64_t length, float* scores,
                                            std::uint64_t thread, std::uint64_t threads) {
  for (std::uint64_t i = thread; i < length; i += threads) scores[i] = 2.0f * input[i];
}

CUDA_EXAMPLE_BOTH_SIDES constexpr std::uint64_t mask_bytes(std::uint64_t voxels) {
  return (voxels + 7) / 8;
}

// One bit for each voxel whose lesion has a probability above 1/2, the least significant first, as
// SEGLOSS_MASK_BITS wants it; the bits behind the last voxel are 0.
CUDA_EXAMPLE_BOTH_SIDES inline void pack_mask(const float* scores, std::uint64_t voxels,
                                              std::uint8_t* bits, std::uint64_t thread,
                                              std::uint64_t threads) {
  for (std::uint64_t byte = thread; byte < mask_bytes(voxels); byte += threads) {
    const std::uint64_t first = 8 * byte;
    const std::uint64_t count = voxels - first < 8 ? voxels - first : 8;
    unsigned packed = 0;
    for (unsigned bit = 0; bit < count; ++bit) {
      const float margin = scores[voxels + first + bit] - scores[first + bit];
      if (sigmoid(margin) > 0.5f) packed |= 1u << bit;
    }
    bits[byte] = static_cast<std::uint8_t>(packed);
  }
}

// HausdorffDT with exponent 2 and the lesion as its only counted class:
//
//   L = 1/N sum (p - g)^2 F    F = D(m)^2 + D(t)^2    dL/dp = 2/N (p - g) F
//
// with the distances D(m), D(t) as constants. They come in half precision and not squared: a square
// would overflow beyond 255 mm.
struct Pointwise {
  const float* scores;                 // 2 x voxels
  const std::uint8_t* labels;          // 1: lesion
  const std::uint16_t* to_prediction;  // D(m): SEGLOSS_SIDE_TWO_PHASE of the packed mask
  const std::uint16_t* to_target;      // D(t): the same of the labels
  std::uint64_t voxels;
  float* gradient;                     // 2 x voxels, by the scores
};

// Writes the gradient of a thread's voxels and returns their part of N L.
CUDA_EXAMPLE_BOTH_SIDES inline double pull(const Pointwise& of, std::uint64_t thread,
                                           std::uint64_t threads) {
  const float factor = 2.0f / static_cast<float>(of.voxels);
  double sum = 0.0;
  for (std::uint64_t i = thread; i < of.voxels; i += threads) {
    const float margin = of.scores[of.voxels + i] - of.scores[i];
    const float p = sigmoid(margin), background = sigmoid(-margin);  // 1 - p, without cancellation
    const float error = of.labels[i] == 1 ? -background : p;         // p - g
    const float to_prediction = half_to_float(of.to_prediction[i]);
    const float to_target = half_to_float(of.to_target[i]);
    const float field = to_prediction * to_prediction + to_target * to_target;
    sum += static_cast<double>(error) * error * field;
    const float slope = factor * error * field * p * background;  // by the lesion's score
    of.gradient[i] = -slope;
    of.gradient[of.voxels + i] = slope;
  }
  return sum;
}

// A thread's part of a long sum, in a fixed order.
CUDA_EXAMPLE_BOTH_SIDES inline double fold(const double* parts, std::uint64_t length,
                                           std::uint64_t thread, std::uint64_t threads) {
  double sum = 0.0;
  for (std::uint64_t i = thread; i < length; i += threads) sum += parts[i];
  return sum;
}

}  // namespace cuda_example
