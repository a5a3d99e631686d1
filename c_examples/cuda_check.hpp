// The kernels' arithmetic, checked on the host: the second way of cuda_host.cu without a device.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <vector>

#include "cuda_kernels.hpp"
#include "cuda_problem.hpp"

namespace cuda_example {

// Half precision by its definition.
inline double half_by_definition(std::uint16_t half) {
  const int exponent = half >> 10 & 31, mantissa = half & 1023;
  double size = std::ldexp(1024 + mantissa, exponent - 25);
  if (exponent == 0) size = std::ldexp(mantissa, -24);
  if (exponent == 31) {
    size = mantissa == 0 ? std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  }
  return (half & 0x8000) != 0 ? -size : size;
}

inline bool check_half_to_float() {
  unsigned wrong = 0;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const double found = half_to_float(half), expected = half_by_definition(half);
    const bool same = std::isnan(expected) ? std::isnan(found)
                                           : found == expected &&
                                                 std::signbit(found) == std::signbit(expected);
    wrong += !same;
  }
  std::printf("half precision: %u of 65536 patterns wrong\n", wrong);
  return wrong == 0;
}

// Kernels one after the other, each as that many threads in turn.
inline Outcome second_way_on_host(const Sample& sample, std::uint64_t threads) {
  const std::uint64_t voxels = sample.size.voxels();
  std::vector<float> scores(2 * voxels);
  std::vector<std::uint8_t> bits(mask_bytes(voxels), 0xff);
  for (std::uint64_t t = 0; t < threads; ++t) {
    forward(sample.input.data(), 2 * voxels, scores.data(), t, threads);
  }
  for (std::uint64_t t = 0; t < threads; ++t) {
    pack_mask(scores.data(), voxels, bits.data(), t, threads);
  }
  HalfField field(sample.size, 1);
  std::vector<std::uint16_t> to_prediction(voxels), to_target(voxels);
  field.compute(SEGLOSS_MASK_BITS, bits.data(), to_prediction.data(), nullptr);
  field.check();
  field.compute(SEGLOSS_MASK_BYTES, sample.labels.data(), to_target.data(), nullptr);
  field.check();
  Outcome outcome{0.0, std::vector<float>(2 * voxels, NAN)};
  const Pointwise of = {scores.data(),    sample.labels.data(), to_prediction.data(),
                        to_target.data(), voxels,               outcome.gradient.data()};
  std::vector<double> parts(threads);
  for (std::uint64_t t = 0; t < threads; ++t) parts[t] = pull(of, t, threads);
  constexpr std::uint64_t folders = 7;
  for (std::uint64_t t = 0; t < folders; ++t) {
    outcome.value += fold(parts.data(), parts.size(), t, folders);
  }
  outcome.value /= static_cast<double>(voxels);
  return outcome;
}

inline bool check_second_way(const char* name, const Sample& sample, std::uint64_t threads) {
  const Outcome expected = plain_evaluation(SEGLOSS_PRESET_HAUSDORFF_DT, sample);
  const Outcome found = second_way_on_host(sample, threads);
  const Difference apart = difference(found, expected);
  std::printf("%-28s value %.6f, differs by %.1e; gradient by %.1e of its largest entry\n", name,
              expected.value, apart.value, apart.gradient);
  return within_half_precision(apart);
}

// Everything that can be checked without a device; true if all is well.
inline bool check_on_host() {
  const Size odd = {{11, 33, 35}, {3.0, 0.9, 0.9}};  // 12705 voxels: the last byte holds one bit
  const Size even = {{16, 32, 40}, {1.0, 1.0, 1.0}};
  bool right = check_half_to_float();
  right &= check_second_way("lesions, odd size", make_sample(odd, 1), 1000);
  right &= check_second_way("lesions, one thread", make_sample(even, 2), 1);
  right &= check_second_way("more threads than voxels", make_sample(even, 3), 32768);
  right &= check_second_way("empty prediction", make_sample(odd, 4, -12.0), 1000);
  right &= check_second_way("full prediction", make_sample(odd, 5, 12.0), 1000);
  std::printf("kernels on the host: %s\n", right ? "right" : "WRONG");
  return right;
}

}  // namespace cuda_example
