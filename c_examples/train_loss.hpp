// The four losses through the C interface of segloss.
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
  std::vector<segloss_term> terms(2);
  std::uint64_t count = 0;
  require(segloss_preset(preset, terms.data(), sizeof(segloss_term), terms.size(), &count),
          "segloss_preset", nullptr);
  terms.resize(count);
  return terms;
}

inline std::vector<segloss_term> cross_entropy_terms() {
  std::vector<segloss_term> terms(1);
  require(segloss_term_init(terms.data(), sizeof(segloss_term), SEGLOSS_TERM_CROSS_ENTROPY),
          "segloss_term_init", nullptr);
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

// A loss on batches of a fixed number of voxels; owns the arrays that the C structs point to.
class Loss {
 public:
  // `counts`: 1 for every class that the annotation has, 0 for the others.
  Loss(std::string name, std::vector<segloss_term> terms, const LabelTree& tree,
       std::vector<double> counts, std::size_t voxels, std::size_t threads)
      : name_(std::move(name)),
        terms_(std::move(terms)),
        class_weights_(std::move(counts)),
        threads_(threads) {
    require(segloss_loss_init(&loss_, sizeof loss_), "segloss_loss_init", nullptr);
    require(segloss_input_init(&input_, sizeof input_), "segloss_input_init", nullptr);
    require(segloss_gradient_init(&gradient_, sizeof gradient_), "segloss_gradient_init", nullptr);
    loss_.tree = tree.view();
    for (segloss_term& term : terms_) set_options(term);
    loss_.terms = terms_.data();
    loss_.term_count = terms_.size();
    loss_.activation = SEGLOSS_SOFTMAX;
    describe_batch(tree.classes(), voxels);
    reserve_scratch();
  }
  Loss(const Loss&) = delete;
  Loss& operator=(const Loss&) = delete;

  const std::string& name() const { return name_; }
  double seconds() const { return seconds_; }

  // Value of the loss; its gradient takes the place of the scores [class][voxel].
  double evaluate(std::vector<float>& scores, const std::vector<std::uint8_t>& labels) {
    input_.scores.data = scores.data();
    input_.target.data = labels.data();
    gradient_.values.data = scores.data();
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

  void describe_batch(std::size_t classes, std::size_t voxels) {
    input_.shape.batch = 1;
    input_.shape.classes = classes;
    input_.shape.extent[0] = voxels;
    input_.shape.axes = 1;
    input_.shape.layout = SEGLOSS_PLANAR;
    input_.scores.length = classes * voxels;
    input_.scores.type = SEGLOSS_F32;
    input_.target.length = voxels;
    input_.target.type = SEGLOSS_U8;
    input_.target_kind = SEGLOSS_TARGET_LABELS;
    input_.has_ignore_label = 1;
    input_.ignore_label = kIgnoreLabel;
    gradient_.values.length = classes * voxels;
    gradient_.values.type = SEGLOSS_F32;
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
  segloss_input input_{};
  segloss_gradient gradient_{};
};

}  // namespace train
