// What the demo reports of a prediction, written out plainly so that it can be read here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "train_volume.hpp"

namespace train {

struct Scores {
  double leaf_dice = 0.0;      // mean over the classes that the reference has
  double top_dice = 0.0;       // the same after collapsing classes to the top level of the tree
  double error_distance = 0.0; // mean tree distance (edges) of the wrongly labelled voxels
};

// Mean Dice of two maps of groups, over the groups that the reference has.
inline double mean_dice(const std::vector<std::int32_t>& prediction,
                        const std::vector<std::int32_t>& reference, std::size_t groups) {
  std::vector<double> predicted(groups), present(groups), both(groups);
  for (std::size_t i = 0; i < reference.size(); ++i) {
    predicted[prediction[i]] += 1.0;
    present[reference[i]] += 1.0;
    if (prediction[i] == reference[i]) both[reference[i]] += 1.0;
  }
  double sum = 0.0, count = 0.0;
  for (std::size_t g = 0; g < groups; ++g) {
    if (present[g] == 0.0) continue;
    sum += 2.0 * both[g] / (predicted[g] + present[g]);
    count += 1.0;
  }
  return sum / count;
}

inline std::vector<std::int32_t> collapsed(const std::vector<std::uint8_t>& labels,
                                           const std::vector<std::int32_t>& node_of_class) {
  std::vector<std::int32_t> nodes(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) nodes[i] = node_of_class[labels[i]];
  return nodes;
}

inline double mean_error_distance(const std::vector<std::uint8_t>& prediction,
                                  const std::vector<std::uint8_t>& reference,
                                  const LabelTree& tree) {
  const std::size_t classes = tree.classes();
  std::vector<double> distance(classes * classes);
  for (std::size_t a = 0; a < classes; ++a) {
    for (std::size_t b = 0; b < classes; ++b) {
      distance[a * classes + b] = static_cast<double>(tree.distance(a, b));
    }
  }
  double sum = 0.0, errors = 0.0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (prediction[i] == reference[i]) continue;
    sum += distance[prediction[i] * classes + reference[i]];
    errors += 1.0;
  }
  return errors > 0.0 ? sum / errors : 0.0;
}

inline Scores score(const std::vector<std::uint8_t>& prediction, const Volume& volume) {
  const LabelTree& tree = volume.tree;
  const std::vector<std::int32_t> top = tree.top_level();
  const auto dice = [&](const std::vector<std::int32_t>& node_of_class) {
    return mean_dice(collapsed(prediction, node_of_class),
                     collapsed(volume.reference, node_of_class), tree.nodes());
  };
  return {dice(tree.leaf_of_class), dice(top),
          mean_error_distance(prediction, volume.reference, tree)};
}

}  // namespace train
