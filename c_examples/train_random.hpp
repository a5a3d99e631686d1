// Random numbers that are the same with every standard library: its distributions are not.
#pragma once

#include <random>

namespace train {

// Uniform in [0, 1).
inline double uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53;
}

// Twelve uniform numbers: close enough to a normal one.
inline double normal(std::mt19937_64& random) {
  double sum = 0.0;
  for (int k = 0; k < 12; ++k) sum += uniform(random);
  return sum - 6.0;
}

}  // namespace train
