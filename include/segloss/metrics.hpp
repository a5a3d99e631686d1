// Metrics of label maps: overlap of classes and of nodes of a label tree, confidence of scores.
#pragma once

#include <limits>
#include <optional>

#include "loss.hpp"

namespace segloss {

// A label map and the one that it is judged by; the maps are borrowed.
class label_pair {
 public:
  label_pair(std::size_t classes, const extent& sizes, const spacing& between_voxels) {
    require(segloss_label_pair_init(&pair_, sizeof pair_));
    between_voxels.require_axes(sizes.axes());
    between_voxels.write(pair_);
    sizes.write(pair_);
    pair_.classes = classes;
  }

  template <class Labels>
  label_pair& prediction(Labels&& labels) {
    pair_.prediction = internal::array(span(std::forward<Labels>(labels)));
    return *this;
  }
  template <class Labels>
  label_pair& reference(Labels&& labels) {
    pair_.reference = internal::array(span(std::forward<Labels>(labels)));
    return *this;
  }
  // Voxels of the reference with this label do not count.
  label_pair& ignore(std::int64_t label) noexcept {
    pair_.has_ignore_label = 1;
    pair_.ignore_label = label;
    return *this;
  }

  std::size_t classes() const noexcept { return static_cast<std::size_t>(pair_.classes); }
  const segloss_label_pair& view() const noexcept { return pair_; }

 private:
  segloss_label_pair pair_{};
};

using overlap_counts = segloss_overlap_counts;

// Counts of every class. `voxel_weights` are how often each voxel counts, empty: once.
inline std::vector<overlap_counts> count_overlap(const label_pair& pair,
                                                 span<const std::uint8_t> voxel_weights = {}) {
  std::vector<overlap_counts> counts(pair.classes());
  segloss_detail detail{};
  require(segloss_count_overlap(&pair.view(), voxel_weights.data(), voxel_weights.size(),
                                counts.data(), counts.size(), &detail),
          detail);
  return counts;
}

// SEGLOSS_METRIC_... of counts, `undefined` where its formula is 0/0; `beta` is that of F-beta.
inline double score(const overlap_counts& counts, std::uint32_t metric,
                    double undefined = std::numeric_limits<double>::quiet_NaN(),
                    double beta = 1.0) {
  segloss_detail detail{};
  double found = 0.0;
  require(segloss_overlap_score(&counts, metric, beta, undefined, &found, &detail), detail);
  return found;
}

// Counts of every node of a tree, and how far wrong the wrong classes are.
struct tree_overlap {
  std::vector<overlap_counts> nodes;
  segloss_tree_distance_sums distances;

  // Tree-induced error; NaN if no voxel counts.
  double mean_distance() const noexcept {
    return distances.total_distance / static_cast<double>(distances.counted_voxels);
  }
  // Of the lowest common ancestors of predicted and true class.
  double mean_ancestor_depth() const noexcept {
    return static_cast<double>(distances.total_ancestor_depth) /
           static_cast<double>(distances.counted_voxels);
  }
};

inline tree_overlap count_tree_overlap(const label_pair& pair, const tree& labels) {
  tree_overlap found{std::vector<overlap_counts>(labels.nodes()), {}};
  labels.call([&](auto viewed, auto scratch, auto where) {
    return segloss_count_tree_overlap(&pair.view(), viewed, scratch, found.nodes.data(),
                                      found.nodes.size(), &found.distances, where);
  });
  return found;
}

// Every class as the node that is its ancestor at a depth, or its leaf where that is not so deep;
// the root has depth 0, the ignore label stays.
template <class Labels>
std::vector<std::int32_t> collapse_labels(const tree& hierarchy, std::size_t depth,
                                          Labels&& labels,
                                          std::optional<std::int64_t> ignore = {}) {
  const segloss_array read = internal::array(span(std::forward<Labels>(labels)));
  std::vector<std::int32_t> nodes(static_cast<std::size_t>(read.length));
  hierarchy.call([&](auto viewed, auto scratch, auto where) {
    return segloss_collapse_labels(viewed, depth, &read, ignore.has_value(), ignore.value_or(0),
                                   scratch, nodes.data(), nodes.size(), where);
  });
  return nodes;
}

// How sure the scores of every voxel are, SEGLOSS_CONFIDENCE_..., [batch][voxel]. The target of the
// input is not read.
inline std::vector<float> confidence_map(const input& data, std::uint32_t kind,
                                         double temperature = 1.0) {
  std::vector<float> map(data.voxels());
  segloss_detail detail{};
  require(segloss_confidence_map(&data.view().shape, &data.view().scores, kind, temperature,
                                 map.data(), map.size(), &detail),
          detail);
  return map;
}

// The class of the largest score, or `unknown` where the confidence is below the threshold.
inline std::vector<std::int32_t> label_confident(const input& data, std::uint32_t kind,
                                                 double threshold, std::int32_t unknown,
                                                 double temperature = 1.0) {
  std::vector<std::int32_t> labels(data.voxels());
  segloss_detail detail{};
  require(segloss_label_confident(&data.view().shape, &data.view().scores, kind, temperature,
                                  threshold, unknown, labels.data(), labels.size(), &detail),
          detail);
  return labels;
}

// The deepest node on the way of greatest probability that reaches the threshold.
inline std::vector<std::int32_t> label_confident(const input& data, const tree& labels,
                                                 double threshold) {
  std::vector<std::int32_t> nodes(data.voxels());
  labels.call([&](auto viewed, auto scratch, auto where) {
    return segloss_label_tree_confident(&data.view().shape, &data.view().scores, viewed, threshold,
                                        scratch, nodes.data(), nodes.size(), where);
  });
  return nodes;
}

}  // namespace segloss
