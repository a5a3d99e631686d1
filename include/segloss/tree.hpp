// Label trees.
#pragma once

#include "core.hpp"

namespace segloss {

// A label tree; throws if it is none.
class tree {
 public:
  // The parent of every node (-1 for the root), the leaf of every class and, unless all are 1, the
  // weight of the edge above every node, from 1e-18 to 1e18.
  tree(std::vector<std::int32_t> parent, std::vector<std::int32_t> leaf_of_class,
       std::vector<double> edge_weights = {})
      : parent_(std::move(parent)),
        leaf_of_class_(std::move(leaf_of_class)),
        edge_weights_(std::move(edge_weights)) {
    if (!edge_weights_.empty() && edge_weights_.size() != parent_.size()) {
      throw error(internal::refusal(SEGLOSS_STATUS_LENGTH, SEGLOSS_ARGUMENT_TREE_NODE,
                                  edge_weights_.size(), parent_.size()));
    }
    call(segloss_tree_check);
  }

  std::size_t nodes() const noexcept { return parent_.size(); }
  std::size_t classes() const noexcept { return leaf_of_class_.size(); }

  segloss_tree view() const noexcept {
    return {parent_.data(), edge_weights_.empty() ? nullptr : edge_weights_.data(),
            parent_.size(), leaf_of_class_.data(), leaf_of_class_.size()};
  }

  // Node weights by rule, SEGLOSS_NODE_WEIGHTS_...
  std::vector<double> node_weights(std::uint32_t rule, double factor = 1.0) const {
    std::vector<double> weights(nodes());
    call([&](auto viewed, auto scratch, auto where) {
      return segloss_tree_node_weights(viewed, rule, factor, scratch, weights.data(),
                                       weights.size(), where);
    });
    return weights;
  }

  // The same weight for all nodes of a level; the root is level 0.
  std::vector<double> level_weights(const std::vector<double>& weight_of_level) const {
    std::vector<double> weights(nodes());
    call([&](auto viewed, auto scratch, auto where) {
      return segloss_tree_level_weights(viewed, weight_of_level.data(), weight_of_level.size(),
                                        scratch, weights.data(), weights.size(), where);
    });
    return weights;
  }

  double distance(std::size_t class_a, std::size_t class_b) const {
    double measured = 0.0;
    call([&](auto viewed, auto scratch, auto where) {
      return segloss_tree_distance(viewed, class_a, class_b, scratch, &measured, where);
    });
    return measured;
  }

  // Between all classes, row by row.
  std::vector<double> distances() const {
    std::vector<double> measured(classes() * classes());
    call([&](auto viewed, auto scratch, auto where) {
      return segloss_tree_distances(viewed, scratch, measured.data(), measured.size(), where);
    });
    return measured;
  }

  // Calls a function of the C interface with this tree, scratch memory for it and a detail.
  template <class Function>
  void call(const Function& function) const {
    const segloss_tree viewed = view();
    segloss_detail detail{};
    std::uint64_t bytes = 0;
    require(segloss_tree_scratch_size(&viewed, &bytes, &detail), detail);
    std::vector<unsigned char> scratch(static_cast<std::size_t>(bytes));
    require(function(&viewed, segloss_scratch{scratch.data(), bytes}, &detail), detail);
  }

 private:
  std::vector<std::int32_t> parent_;
  std::vector<std::int32_t> leaf_of_class_;
  std::vector<double> edge_weights_;
};

}  // namespace segloss
