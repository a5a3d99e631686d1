// The per-voxel network: one hidden layer with ReLU, forward and backward, and Adam.
//
// Voxels go through in blocks of 64, and every product of forward and backward is the same
// `multiply_add`, whose inner loop runs along contiguous memory so that the compiler vectorises it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "train_features.hpp"
#include "train_parallel.hpp"
#include "train_random.hpp"

namespace train {

constexpr std::size_t kBlock = 64;  // voxels of one block

struct ConstRows {
  const float* data;
  std::size_t stride;
  const float* operator[](std::size_t row) const { return data + row * stride; }
};

struct Rows {
  float* data;
  std::size_t stride;
  float* operator[](std::size_t row) const { return data + row * stride; }
};

// c[i][j] += sum_k a[i][k] b[k][j]. Four rows of b for two rows of c at a time: eight loads and
// stores for eight products, where one row at a time would need twelve.
inline void multiply_add(std::size_t rows, std::size_t inner, std::size_t columns, ConstRows a,
                         ConstRows b, Rows c) {
  const std::size_t paired_rows = rows - rows % 2;
  const std::size_t inner_in_fours = inner - inner % 4;
  for (std::size_t i = 0; i < paired_rows; i += 2) {
    float *__restrict c0 = c[i], *__restrict c1 = c[i + 1];
    for (std::size_t k = 0; k < inner_in_fours; k += 4) {
      const float *p = a[i] + k, *q = a[i + 1] + k;
      const float p0 = p[0], p1 = p[1], p2 = p[2], p3 = p[3];
      const float q0 = q[0], q1 = q[1], q2 = q[2], q3 = q[3];
      const float *b0 = b[k], *b1 = b[k + 1], *b2 = b[k + 2], *b3 = b[k + 3];
      for (std::size_t j = 0; j < columns; ++j) {
        c0[j] += (p0 * b0[j] + p1 * b1[j]) + (p2 * b2[j] + p3 * b3[j]);
        c1[j] += (q0 * b0[j] + q1 * b1[j]) + (q2 * b2[j] + q3 * b3[j]);
      }
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {  // what the pairs and fours left over
    for (std::size_t k = i < paired_rows ? inner_in_fours : 0; k < inner; ++k) {
      for (std::size_t j = 0; j < columns; ++j) c[i][j] += a[i][k] * b[k][j];
    }
  }
}

inline void transpose(std::size_t rows, std::size_t columns, ConstRows from, Rows to) {
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) to[j][i] = from[i][j];
  }
}

struct NetworkShape {
  std::size_t features;  // the last one is 1: its weights are the bias of the hidden layer
  std::size_t hidden;    // one more unit is always 1: its weights are the bias of the output
  std::size_t classes;

  std::size_t hidden_weights() const { return hidden * features; }
  std::size_t weights() const { return hidden_weights() + classes * (hidden + 1); }
};

// What a thread needs for one block.
struct BlockBuffers {
  explicit BlockBuffers(const NetworkShape& shape)
      : rows(kBlock * shape.features),
        columns(kBlock * shape.features),
        hidden_slope(kBlock * shape.hidden),
        hidden_rows(kBlock * (shape.hidden + 1)) {}
  std::vector<float> rows;          // features [voxel][feature]
  std::vector<float> columns;       // features [feature][voxel]
  std::vector<float> hidden_slope;  // derivative by the hidden units [unit][voxel]
  std::vector<float> hidden_rows;   // hidden units [voxel][unit]
};

class Network {
 public:
  Network(const NetworkShape& shape, std::uint64_t seed)
      : shape_(shape), weights_(shape.weights()) {
    std::mt19937_64 random(seed);
    const auto fill = [&](std::size_t begin, std::size_t end, std::size_t inputs) {
      const double bound = std::sqrt(6.0 / static_cast<double>(inputs));  // He 2015, uniform
      for (std::size_t i = begin; i < end; ++i) {
        weights_[i] = static_cast<float>(bound * (2.0 * uniform(random) - 1.0));
      }
    };
    fill(0, shape.hidden_weights(), shape.features);
    fill(shape.hidden_weights(), weights_.size(), 4 * shape.hidden);
    update_transpose();
  }

  const NetworkShape& shape() const { return shape_; }
  std::vector<float>& weights() { return weights_; }

  // The backward pass reads the output weights transposed; call it when they have changed.
  void update_transpose() {
    output_transposed_.resize(shape_.classes * (shape_.hidden + 1));
    transpose(shape_.classes, shape_.hidden + 1, output_weights(),
              {output_transposed_.data(), shape_.classes});
  }

  // Copies the feature rows of a block; missing voxels at its end repeat the first.
  void gather(const FeatureTable& table, const std::uint32_t* voxels, std::size_t count,
              BlockBuffers& buffers) const {
    for (std::size_t v = 0; v < kBlock; ++v) {
      const float* row = table.row(voxels[v < count ? v : 0]);
      std::copy(row, row + shape_.features, &buffers.rows[v * shape_.features]);
    }
  }

  // hidden [unit][voxel] with kBlock columns, scores [class][voxel] with the caller's stride.
  void forward(BlockBuffers& buffers, float* hidden, Rows scores) const {
    transpose(kBlock, shape_.features, {buffers.rows.data(), shape_.features},
              {buffers.columns.data(), kBlock});
    std::fill(hidden, hidden + shape_.hidden * kBlock, 0.0f);
    multiply_add(shape_.hidden, shape_.features, kBlock, hidden_weights(),
                 {buffers.columns.data(), kBlock}, {hidden, kBlock});
    for (std::size_t i = 0; i < shape_.hidden * kBlock; ++i) hidden[i] = std::max(0.0f, hidden[i]);
    std::fill(hidden + shape_.hidden * kBlock, hidden + (shape_.hidden + 1) * kBlock, 1.0f);
    for (std::size_t c = 0; c < shape_.classes; ++c) std::fill_n(scores[c], kBlock, 0.0f);
    multiply_add(shape_.classes, shape_.hidden + 1, kBlock, output_weights(), {hidden, kBlock},
                 scores);
  }

  // Adds the derivatives by all weights, given those by the scores of one block.
  void backward(BlockBuffers& buffers, const float* hidden, ConstRows score_gradient,
                float* weight_gradient) const {
    const std::size_t units = shape_.hidden;
    transpose(units + 1, kBlock, {hidden, kBlock}, {buffers.hidden_rows.data(), units + 1});
    multiply_add(shape_.classes, kBlock, units + 1, score_gradient,
                 {buffers.hidden_rows.data(), units + 1},
                 {weight_gradient + shape_.hidden_weights(), units + 1});
    float* slope = buffers.hidden_slope.data();
    std::fill(slope, slope + units * kBlock, 0.0f);
    multiply_add(units, shape_.classes, kBlock, {output_transposed_.data(), shape_.classes},
                 score_gradient, {slope, kBlock});
    for (std::size_t i = 0; i < units * kBlock; ++i) slope[i] = hidden[i] > 0.0f ? slope[i] : 0.0f;
    multiply_add(units, kBlock, shape_.features, {slope, kBlock},
                 {buffers.rows.data(), shape_.features}, {weight_gradient, shape_.features});
  }

 private:
  ConstRows hidden_weights() const { return {weights_.data(), shape_.features}; }
  ConstRows output_weights() const {
    return {weights_.data() + shape_.hidden_weights(), shape_.hidden + 1};
  }

  NetworkShape shape_;
  std::vector<float> weights_;
  std::vector<float> output_transposed_;
};

// Adam (Kingma 2015) with a learning rate that falls to 0 along half a cosine.
class Adam {
 public:
  Adam(std::size_t weights, double learning_rate, std::size_t steps)
      : mean_(weights), square_(weights), learning_rate_(learning_rate), steps_(steps) {}

  void step(const std::vector<float>& gradient, std::vector<float>& weights) {
    const double progress = static_cast<double>(step_++) / static_cast<double>(steps_);
    const double rate = learning_rate_ * 0.5 * (1.0 + std::cos(3.14159265358979 * progress));
    const double mean_bias = 1.0 - std::pow(kMeanDecay, static_cast<double>(step_));
    const double square_bias = 1.0 - std::pow(kSquareDecay, static_cast<double>(step_));
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double g = gradient[i];
      mean_[i] = kMeanDecay * mean_[i] + (1.0 - kMeanDecay) * g;
      square_[i] = kSquareDecay * square_[i] + (1.0 - kSquareDecay) * g * g;
      const double scale = std::sqrt(square_[i] / square_bias) + 1e-8;
      weights[i] -= static_cast<float>(rate * (mean_[i] / mean_bias) / scale);
    }
  }

 private:
  static constexpr double kMeanDecay = 0.9;
  static constexpr double kSquareDecay = 0.99;
  std::vector<double> mean_, square_;
  double learning_rate_;
  std::size_t steps_;
  std::size_t step_ = 0;
};

}  // namespace train
