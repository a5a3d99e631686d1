// The caller's threads: the same loss on one thread and on all of them, the same bits.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <vector>

#include "segloss.hpp"

namespace {

constexpr std::size_t kClasses = 8;
constexpr std::size_t kExtent = 80;
constexpr std::size_t kVoxels = kExtent * kExtent * kExtent;
constexpr int kRepetitions = 5;

struct Data {
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
};

// Anything will do: a linear congruential generator (Knuth's constants).
Data make_data() {
  Data data{std::vector<float>(kClasses * kVoxels), std::vector<std::uint8_t>(kVoxels)};
  std::uint64_t state = 1;
  const auto next = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state >> 32);
  };
  for (float& score : data.scores) score = static_cast<float>(next()) * 1e-9f - 2.0f;
  for (std::uint8_t& label : data.labels) label = static_cast<std::uint8_t>(next() % kClasses);
  return data;
}

struct Run {
  double value;
  std::vector<float> gradient;
  double best_seconds;
};

Run run(const Data& data, const segloss::executor& threads) {
  const segloss::loss loss({segloss::dice(), segloss::cross_entropy()});
  segloss::input input(kClasses, {kExtent, kExtent, kExtent});
  input.scores(data.scores).labels(data.labels);
  segloss::evaluator evaluator;
  Run outcome{0.0, std::vector<float>(data.scores.size()), 1e300};
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    const auto start = std::chrono::steady_clock::now();
    outcome.value = evaluator.evaluate(loss, input, outcome.gradient, threads).total;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    outcome.best_seconds = std::min(outcome.best_seconds, elapsed.count());
  }
  return outcome;
}

bool same_bits(const Run& a, const Run& b) {
  return std::memcmp(&a.value, &b.value, sizeof a.value) == 0 &&
         std::memcmp(a.gradient.data(), b.gradient.data(), a.gradient.size() * sizeof(float)) == 0;
}

int compare() {
  const Data data = make_data();
  const segloss::executor threads = segloss::openmp_executor();
  const Run sequential = run(data, {});
  const Run parallel = run(data, threads);
  std::printf("1 thread:  %.6f in %.1f ms\n", sequential.value, 1e3 * sequential.best_seconds);
  std::printf("%zu threads: %.6f in %.1f ms, %.2f times as fast\n", threads.workers(),
              parallel.value, 1e3 * parallel.best_seconds,
              sequential.best_seconds / parallel.best_seconds);
  const bool same = same_bits(sequential, parallel);
  std::printf("value and gradient: %s\n", same ? "the same bits" : "DIFFERENT BITS");
  return same ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return compare();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "openmp: %s\n", error.what());
    return 1;
  }
}
