// Training with one loss, and inference: batches, progress, timing.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "train_loss.hpp"
#include "train_network.hpp"
#include "train_volume.hpp"

namespace train {

struct Schedule {
  std::size_t steps = 0;
  std::size_t batch_voxels = 4096;  // a multiple of kBlock
  std::size_t hidden_units = 64;
  double learning_rate = 2e-2;
  std::size_t threads = 1;
  std::uint64_t seed = 0;
};

// Half of a batch comes from anywhere, annotated or not, as patches of a volume would; the other
// half takes the annotated classes in turn, so that small structures are seen in every step.
class BatchSampler {
 public:
  BatchSampler(const Volume& volume, std::uint64_t seed) : volume_(volume), random_(seed) {
    for (auto& voxels : voxels_of_class(volume.annotation, volume.tree.classes())) {
      if (!voxels.empty()) annotated_.push_back(std::move(voxels));
    }
  }

  void draw(std::vector<std::uint32_t>& voxels, std::vector<std::uint8_t>& labels) {
    const std::size_t anywhere = voxels.size() / 2;
    for (std::size_t i = 0; i < voxels.size(); ++i) {
      if (i < anywhere) {
        voxels[i] = static_cast<std::uint32_t>(random_() % volume_.voxels());
      } else {
        const auto& of_class = annotated_[i % annotated_.size()];
        voxels[i] = of_class[random_() % of_class.size()];
      }
      labels[i] = volume_.annotation[voxels[i]];
    }
  }

 private:
  const Volume& volume_;
  std::mt19937_64 random_;
  std::vector<std::vector<std::uint32_t>> annotated_;
};

// One line that rewrites itself on a terminal, a line every fifth of the way elsewhere.
class Progress {
 public:
  Progress(std::string name, std::string unit, std::size_t steps)
      : name_(std::move(name)),
        unit_(std::move(unit)),
        steps_(steps),
        terminal_(isatty(STDOUT_FILENO) != 0) {}

  void show(std::size_t step, double loss) {
    const std::size_t every = terminal_ ? (steps_ + 49) / 50 : (steps_ + 4) / 5;
    if (step % every != 0 && step != steps_) return;
    std::printf("%s%-22s %s %4zu / %zu   loss %.4f   %5.1f s%s", terminal_ ? "\r" : "",
                name_.c_str(), unit_.c_str(), step, steps_, loss, seconds(), terminal_ ? "" : "\n");
    std::fflush(stdout);
  }

  void end() const {
    if (terminal_) std::printf("\n");
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::string name_;
  std::string unit_;
  std::size_t steps_;
  bool terminal_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Forward and backward over one batch. The blocks are dealt to a fixed number of chunks whose
// gradients are added in order: the result does not depend on the number of threads.
class BatchPass {
 public:
  BatchPass(const FeatureTable& table, const NetworkShape& shape, const Schedule& schedule)
      : table_(table),
        blocks_(schedule.batch_voxels / kBlock),
        threads_(schedule.threads),
        buffers_(kChunks, BlockBuffers(shape)),
        gradients_(kChunks),
        hidden_(schedule.batch_voxels * (shape.hidden + 1)) {}

  void forward(const Network& network, const std::vector<std::uint32_t>& voxels,
               std::vector<float>& scores) {
    for_blocks([&](std::size_t chunk, std::size_t block) {
      network.gather(table_, &voxels[block * kBlock], kBlock, buffers_[chunk]);
      network.forward(buffers_[chunk], hidden(network, block),
                      {&scores[block * kBlock], voxels.size()});
    });
  }

  // Confident voxels of a region loss have gradients down to 1e-45; they mean nothing, but
  // subnormal numbers would slow every product down tenfold, so they are cleared.
  void backward(const Network& network, const std::vector<std::uint32_t>& voxels,
                std::vector<float>& score_gradient, std::vector<float>& sum) {
    for (auto& gradient : gradients_) gradient.assign(network.shape().weights(), 0.0f);
    parallel_for(threads_, network.shape().classes, [&](std::size_t c) {
      float* values = &score_gradient[c * voxels.size()];
      for (std::size_t v = 0; v < voxels.size(); ++v) {
        values[v] = std::abs(values[v]) < 1e-20f ? 0.0f : values[v];
      }
    });
    for_blocks([&](std::size_t chunk, std::size_t block) {
      network.gather(table_, &voxels[block * kBlock], kBlock, buffers_[chunk]);
      network.backward(buffers_[chunk], hidden(network, block),
                       {&score_gradient[block * kBlock], voxels.size()}, gradients_[chunk].data());
    });
    sum.assign(network.shape().weights(), 0.0f);
    for (const auto& gradient : gradients_) {
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += gradient[i];
    }
  }

 private:
  static constexpr std::size_t kChunks = 16;

  template <class Work>
  void for_blocks(const Work& work) {
    parallel_for(threads_, kChunks, [&](std::size_t chunk) {
      for (std::size_t block = chunk; block < blocks_; block += kChunks) work(chunk, block);
    });
  }

  float* hidden(const Network& network, std::size_t block) {
    return &hidden_[block * kBlock * (network.shape().hidden + 1)];
  }

  const FeatureTable& table_;
  std::size_t blocks_;
  std::size_t threads_;
  std::vector<BlockBuffers> buffers_;
  std::vector<std::vector<float>> gradients_;
  std::vector<float> hidden_;
};

// Trains `network` in place and returns the seconds it took.
inline double train_network(Network& network, const Volume& volume, const FeatureTable& table,
                            const Schedule& schedule, Loss& loss) {
  const std::size_t voxels_per_step = schedule.batch_voxels;
  BatchSampler sampler(volume, schedule.seed);
  BatchPass pass(table, network.shape(), schedule);
  Adam adam(network.shape().weights(), schedule.learning_rate, schedule.steps);
  std::vector<std::uint32_t> voxels(voxels_per_step);
  std::vector<std::uint8_t> labels(voxels_per_step);
  std::vector<float> scores(voxels_per_step * network.shape().classes);
  std::vector<float> weight_gradient;
  Progress progress(loss.name(), "step", schedule.steps);
  for (std::size_t step = 1; step <= schedule.steps; ++step) {
    sampler.draw(voxels, labels);
    pass.forward(network, voxels, scores);
    const double value = loss.evaluate(scores, labels);  // scores hold the gradient from here on
    pass.backward(network, voxels, scores, weight_gradient);
    adam.step(weight_gradient, network.weights());
    network.update_transpose();
    progress.show(step, value);
  }
  progress.end();
  return progress.seconds();
}

// The class of the largest score at every voxel.
inline std::vector<std::uint8_t> predict(const Network& network, const FeatureTable& table,
                                         std::size_t voxels, std::size_t threads) {
  const NetworkShape& shape = network.shape();
  std::vector<std::uint8_t> labels(voxels);
  constexpr std::size_t task_voxels = 64 * kBlock;
  parallel_for(threads, (voxels + task_voxels - 1) / task_voxels, [&](std::size_t task) {
    BlockBuffers buffers(shape);
    std::vector<float> hidden((shape.hidden + 1) * kBlock), scores(shape.classes * kBlock);
    std::vector<std::uint32_t> indices(kBlock);
    const std::size_t end = std::min(voxels, (task + 1) * task_voxels);
    for (std::size_t first = task * task_voxels; first < end; first += kBlock) {
      const std::size_t count = std::min(kBlock, end - first);
      for (std::size_t v = 0; v < count; ++v) indices[v] = static_cast<std::uint32_t>(first + v);
      network.gather(table, indices.data(), count, buffers);
      network.forward(buffers, hidden.data(), {scores.data(), kBlock});
      for (std::size_t v = 0; v < count; ++v) {
        std::size_t best = 0;
        for (std::size_t c = 1; c < shape.classes; ++c) {
          if (scores[c * kBlock + v] > scores[best * kBlock + v]) best = c;
        }
        labels[first + v] = static_cast<std::uint8_t>(best);
      }
    }
  });
  return labels;
}

}  // namespace train
