// A volume with its reference: the structure, sparse annotation, and loading from a directory.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "train_tree.hpp"

namespace train {

constexpr std::uint8_t kIgnoreLabel = 255;

struct Volume {
  std::string title;
  std::array<std::size_t, 3> extent{};     // z (upwards), y (to the front), x (to the right)
  std::vector<float> hounsfield;           // the image
  std::vector<std::uint8_t> reference;     // class of every voxel: what metrics compare with
  std::vector<std::uint8_t> annotation;    // what training sees: reference or kIgnoreLabel
  LabelTree tree;

  std::size_t voxels() const { return extent[0] * extent[1] * extent[2]; }
  std::size_t index(std::size_t z, std::size_t y, std::size_t x) const {
    return (z * extent[1] + y) * extent[2] + x;
  }
};

// Voxels of every class in a label map; ignored ones are left out.
inline std::vector<std::vector<std::uint32_t>> voxels_of_class(
    const std::vector<std::uint8_t>& labels, std::size_t classes) {
  std::vector<std::vector<std::uint32_t>> lists(classes);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != kIgnoreLabel) lists[labels[i]].push_back(static_cast<std::uint32_t>(i));
  }
  return lists;
}

// Annotates about `fraction` of every class in short strokes along x, the way one marks
// structures by hand; all other voxels get the ignore label.
inline void annotate_sparsely(Volume& volume, double fraction, std::uint64_t seed) {
  constexpr std::size_t stroke_voxels = 8;
  std::mt19937_64 random(seed);
  volume.annotation.assign(volume.voxels(), kIgnoreLabel);
  for (const auto& voxels : voxels_of_class(volume.reference, volume.tree.classes())) {
    const auto wanted =
        static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(voxels.size())));
    for (std::size_t marked = 0; marked < wanted;) {
      const std::size_t first = voxels[random() % voxels.size()];
      const std::size_t line_end = (first / volume.extent[2] + 1) * volume.extent[2];
      const std::size_t last = std::min(line_end, first + stroke_voxels);
      for (std::size_t i = first; i < last && marked < wanted; ++i) {
        if (volume.reference[i] != volume.reference[first]) break;
        if (volume.annotation[i] == kIgnoreLabel) ++marked;
        volume.annotation[i] = volume.reference[i];
      }
    }
  }
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The text behind `"key":` in a flat JSON object, up to the end of its value.
inline std::string json_value(const std::string& json, const std::string& key) {
  const std::size_t at = json.find('"' + key + '"');
  if (at == std::string::npos) throw std::runtime_error("JSON without \"" + key + '"');
  const std::size_t begin = json.find_first_not_of(" :\t\r\n", at + key.size() + 2);
  if (begin == std::string::npos) throw std::runtime_error("JSON ends after \"" + key + '"');
  const char closing = json[begin] == '[' ? ']' : '"';
  const std::size_t end = json.find(closing, begin + 1);
  if (end == std::string::npos) throw std::runtime_error("JSON: no end of \"" + key + '"');
  return json.substr(begin + 1, end - begin - 1);
}

// What `gzip -dc` makes of a file: every system has the program, not every one a library.
inline std::string read_gzip(const std::string& path) {
  std::string command = "gzip -dc -- '";
  for (const char c : path) command += c == '\'' ? std::string("'\\''") : std::string(1, c);
  std::FILE* pipe = popen((command + '\'').c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot start gzip, needed for " + path);
  std::string bytes;
  std::array<char, 1 << 16> buffer;
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    bytes.append(buffer.data(), n);
  }
  if (pclose(pipe) != 0) throw std::runtime_error("gzip is missing or cannot read " + path);
  return bytes;
}

struct RawArray {
  std::array<std::size_t, 3> extent{};
  std::string bytes;
};

inline bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// The three numbers of a JSON list.
template <class Number>
std::array<Number, 3> three_numbers(const std::string& json, const std::string& key) {
  std::string list = json_value(json, key);
  std::replace(list.begin(), list.end(), ',', ' ');
  std::istringstream numbers(list);
  std::array<Number, 3> found{};
  if (!(numbers >> found[0] >> found[1] >> found[2])) {
    throw std::runtime_error("JSON: \"" + key + "\" needs three numbers");
  }
  return found;
}

// DIR/NAME.json names the raw file (plain or .gz), its element type and its shape.
inline RawArray load_raw(const std::string& directory, const std::string& name,
                         const std::string& dtype, std::size_t element_bytes) {
  const std::string json = read_file(directory + '/' + name + ".json");
  if (json_value(json, "dtype") != dtype) throw std::runtime_error(name + " is not " + dtype);
  RawArray array;
  array.extent = three_numbers<std::size_t>(json, "shape");
  const std::string path = directory + '/' + json_value(json, "file");
  array.bytes = ends_with(path, ".gz") ? read_gzip(path) : read_file(path);
  const std::size_t voxels = array.extent[0] * array.extent[1] * array.extent[2];
  if (array.bytes.size() != voxels * element_bytes) {
    throw std::runtime_error(name + ": file size does not match its shape");
  }
  return array;
}

struct LabelledTree {
  LabelTree tree;
  std::map<int, std::uint8_t> class_of_label;  // classes are numbered in the order of labels
};

// Columns node_id, parent_id, name, leaf_label; the label is empty at inner nodes.
inline LabelledTree load_tree(const std::string& path) {
  std::istringstream lines(read_file(path));
  std::string line;
  std::getline(lines, line);
  LabelledTree result;
  std::map<int, std::int32_t> leaf_of_label;
  while (std::getline(lines, line)) {
    std::istringstream row(line);
    std::string node, parent, name, label;
    std::getline(row, node, ',');
    std::getline(row, parent, ',');
    std::getline(row, name, ',');
    std::getline(row, label, ',');
    if (std::strtoul(node.c_str(), nullptr, 10) != result.tree.nodes()) {
      throw std::runtime_error(path + ": nodes must be numbered from 0 without gaps");
    }
    const bool is_leaf = !label.empty() && label != "\r";
    if (is_leaf) leaf_of_label[std::atoi(label.c_str())] = std::atoi(node.c_str());
    result.tree.parent.push_back(std::atoi(parent.c_str()));
    result.tree.name.push_back(name);
  }
  for (const auto& [label, leaf] : leaf_of_label) {
    result.class_of_label[label] = static_cast<std::uint8_t>(result.tree.classes());
    result.tree.leaf_of_class.push_back(leaf);
  }
  if (result.tree.classes() >= kIgnoreLabel) throw std::runtime_error(path + ": too many leaves");
  return result;
}

// The real CT: abdomen_ct_image, abdomen_ct_ref and abdomen_ct_tree.csv in `directory`.
inline Volume load_abdomen_ct(const std::string& directory) {
  const RawArray image = load_raw(directory, "abdomen_ct_image", "i16", 2);
  const RawArray labels = load_raw(directory, "abdomen_ct_ref", "u8", 1);
  if (image.extent != labels.extent) throw std::runtime_error("image and reference differ");
  LabelledTree labelled = load_tree(directory + "/abdomen_ct_tree.csv");
  Volume volume;
  volume.title = "abdomen CT";
  volume.extent = image.extent;
  for (std::size_t i = 0; i < volume.voxels(); ++i) {
    std::int16_t value = 0;
    std::memcpy(&value, image.bytes.data() + 2 * i, 2);
    volume.hounsfield.push_back(value);
    const auto found = labelled.class_of_label.find(static_cast<unsigned char>(labels.bytes[i]));
    if (found == labelled.class_of_label.end()) throw std::runtime_error("label without a leaf");
    volume.reference.push_back(found->second);
  }
  volume.annotation = volume.reference;
  volume.tree = std::move(labelled.tree);
  return volume;
}

}  // namespace train
