// A loss through the C interface of segloss.
#pragma once

#include <chrono>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "segloss.h"
#include "train_parallel.hpp"
#include "train_volume.hpp"

namespace train {

// Every status is checked: anything but success ends the program with what and where.
inline void require(segloss_status status, const char* call, const segloss_detail* detail) {
  if (status == SEGLOSS_OK) return;
  std::fprintf(stderr, "\n%s: %s", call, segloss_status_message(status));
  if (detail != nullptr) {
    std::fprintf(stderr, " (%s, element %" PRIu64 ": found %g)",
                 segloss_argument_name(detail->argument), detail->position, detail->value);
  }
  std::fprintf(stderr, "\n");
  std::exit(1);
}

inline std::vector<segloss_term> preset_terms(std::uint32_t preset) {
  std::vector<segloss_term> terms(3);
  std::uint64_t count = 0;
  require(segloss_preset(preset, terms.data(), sizeof(segloss_term), terms.size(), &count),
          "segloss_preset", nullptr);
  terms.resize(count);
  return terms;
}

inline std::vector<segloss_term> single_term(std::uint32_t kind) {
  std::vector<segloss_term> terms(1);
  require(segloss_term_init(terms.data(), sizeof(segloss_term), kind), "segloss_term_init",
          nullptr);
  return terms;
}

// Level weights of the tree cross-entropy: uniform, 1 along every path from the root to a leaf.
inline std::vector<double> uniform_node_weights(const segloss_tree& tree) {
  segloss_detail detail{};
  std::uint64_t bytes = 0;
  require(segloss_tree_scratch_size(&tree, &bytes, &detail), "segloss_tree_scratch_size", &detail);
  std::vector<unsigned char> memory(bytes);
  std::vector<double> weights(tree.nodes);
  const double top_level_factor = 1.0;
  require(segloss_tree_node_weights(&tree, SEGLOSS_NODE_WEIGHTS_UNIFORM, top_level_factor,
                                    {memory.data(), memory.size()}, weights.data(), weights.size(),
                                    &detail),
          "segloss_tree_node_weights", &detail);
  return weights;
}

// Scores of one sample with that many classes, [class][voxel], and a label for every voxel.
inline segloss_input describe_sample(std::size_t classes, const std::vector<std::size_t>& extent) {
  segloss_input input;
  require(segloss_input_init(&input, sizeof input), "segloss_input_init", nullptr);
  input.shape.classes = classes;
  input.shape.axes = static_cast<std::uint32_t>(extent.size());
  std::size_t voxels = 1;
  for (std::size_t axis = 0; axis < extent.size(); ++axis) {
    input.shape.extent[axis] = extent[axis];
    voxels *= extent[axis];
  }
  input.scores.length = classes * voxels;
  input.scores.type = SEGLOSS_F32;
  input.target.length = voxels;
  input.target.type = SEGLOSS_U8;
  input.target_kind = SEGLOSS_TARGET_LABELS;
  input.has_ignore_label = 1;
  input.ignore_label = kIgnoreLabel;
  return input;
}

// A loss on samples of one size; owns the arrays that the C structs point to.
class Loss {
 public:
  Loss(std::string name, std::vector<segloss_term> terms, const segloss_input& sample,
       std::size_t threads)
      : name_(std::move(name)), terms_(std::move(terms)), threads_(threads), input_(sample) {
    require(segloss_loss_init(&loss_, sizeof loss_), "segloss_loss_init", nullptr);
    require(segloss_gradient_init(&gradient_, sizeof gradient_), "segloss_gradient_init", nullptr);
    loss_.terms = terms_.data();
    loss_.term_count = terms_.size();
    loss_.activation = SEGLOSS_SOFTMAX;
    loss_.fields_in_scratch = 1;  // the gradient buffer, their other place, holds the scores
    gradient_.values.length = input_.scores.length;
    gradient_.values.type = SEGLOSS_F32;
  }
  Loss(const Loss&) = delete;
  Loss& operator=(const Loss&) = delete;

  // `counts`: 1 for every class that the annotation has, 0 for the others. Borrows the tree.
  void use_tree(const LabelTree& tree, std::vector<double> counts) {
    class_weights_ = std::move(counts);
    loss_.tree = tree.view();
    for (segloss_term& term : terms_) set_options(term);
  }

  const std::string& name() const { return name_; }
  double seconds() const { return seconds_; }

  // Value of the loss; its gradient takes the place of the scores. The field of the labels, see
  // segloss_target_fields, saves distance terms from computing it in every call.
  double evaluate(std::vector<float>& scores, const std::vector<std::uint8_t>& labels,
                  const float* target_field = nullptr) {
    input_.scores.data = scores.data();
    input_.target.data = labels.data();
    input_.target_field = target_field;
    gradient_.values.data = scores.data();
    if (scratch_.empty()) reserve_scratch();
    segloss_executor executor{};
    executor.context = &threads_;
    executor.workers = threads_;
    executor.parallel_for = run_segloss_tasks;
    segloss_evaluation result{};
    segloss_detail detail{};
    const auto start = std::chrono::steady_clock::now();
    const segloss_status status =
        segloss_loss_evaluate(&loss_, &input_, &gradient_, {scratch_.data(), scratch_.size()},
                              &executor, &result, &detail);
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    require(status, "segloss_loss_evaluate", &detail);
    return result.total;
  }

 private:
  void set_options(segloss_term& term) {
    if (term.kind == SEGLOSS_TERM_TVERSKY) {
      // One overlap per class over the whole batch; a class without annotation has none to gain.
      term.pooling = SEGLOSS_POOLING_BATCH;
      term.class_weights = {class_weights_.data(), class_weights_.size()};
    } else if (term.kind == SEGLOSS_TERM_TREE_CROSS_ENTROPY) {
      node_weights_ = uniform_node_weights(loss_.tree);
      term.node_weights = {node_weights_.data(), node_weights_.size()};
    }
  }

  void reserve_scratch() {
    std::uint64_t bytes = 0;
    segloss_detail detail{};
    require(segloss_loss_scratch_size(&loss_, &input_, nullptr, threads_, &bytes, &detail),
            "segloss_loss_scratch_size", &detail);
    scratch_.resize(bytes);
  }

  std::string name_;
  std::vector<segloss_term> terms_;
  std::vector<double> class_weights_;
  std::vector<double> node_weights_;
  std::vector<unsigned char> scratch_;
  std::size_t threads_;
  double seconds_ = 0.0;
  segloss_loss loss_{};
  segloss_input input_;
  segloss_gradient gradient_{};
};

}  // namespace train
