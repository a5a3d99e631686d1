// The label tree: classes are its leaves; "top level" and tree distance are read from it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "segloss.h"

namespace train {

struct LabelTree {
  std::vector<std::int32_t> parent;         // of every node, -1 for the root
  std::vector<std::string> name;            // of every node
  std::vector<std::int32_t> leaf_of_class;  // node of every class

  std::size_t nodes() const { return parent.size(); }
  std::size_t classes() const { return leaf_of_class.size(); }
  const std::string& class_name(std::size_t c) const { return name[leaf_of_class[c]]; }

  // The same tree as segloss reads it; it borrows the arrays. Every edge weighs 1.
  segloss_tree view() const {
    segloss_tree tree{};
    tree.parent = parent.data();
    tree.nodes = nodes();
    tree.leaf_of_class = leaf_of_class.data();
    tree.classes = classes();
    return tree;
  }

  // Nodes from `node` up to the root.
  std::vector<std::int32_t> path(std::int32_t node) const {
    std::vector<std::int32_t> up;
    for (; node >= 0; node = parent[node]) up.push_back(node);
    return up;
  }

  // The ancestor of a class at a depth, or its leaf where that lies higher.
  std::int32_t ancestor_at(std::size_t c, std::size_t depth) const {
    const std::vector<std::int32_t> up = path(leaf_of_class[c]);
    return up[up.size() - 1 - std::min(depth, up.size() - 1)];
  }

  // The top level of every class: its ancestor at the first depth that tells more than two
  // structures apart (depth 1 often separates nothing but background and body).
  std::vector<std::int32_t> top_level() const {
    std::vector<std::int32_t> group(classes());
    for (std::size_t depth = 1; depth < nodes(); ++depth) {
      for (std::size_t c = 0; c < classes(); ++c) group[c] = ancestor_at(c, depth);
      std::vector<std::int32_t> distinct = group;
      std::sort(distinct.begin(), distinct.end());
      distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
      if (distinct.size() > 2) break;
    }
    return group;
  }

  // Edges between the leaves of two classes.
  std::size_t distance(std::size_t a, std::size_t b) const {
    const std::vector<std::int32_t> from_a = path(leaf_of_class[a]);
    const std::vector<std::int32_t> from_b = path(leaf_of_class[b]);
    std::size_t shared = 0;
    while (shared < std::min(from_a.size(), from_b.size()) &&
           from_a[from_a.size() - 1 - shared] == from_b[from_b.size() - 1 - shared]) {
      ++shared;
    }
    return from_a.size() + from_b.size() - 2 * shared;
  }
};

}  // namespace train
