// One slice as SVG: image, reference and the prediction of every loss side by side.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "train_volume.hpp"

namespace train {

// Voxels of a plane in reading order: up is up, and the patient's right is on the left, as
// radiologists look at it.
struct Slice {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<std::size_t> voxels;
};

inline Slice slice_across(const Volume& volume, std::size_t axis, std::size_t position) {
  const std::array<std::size_t, 3> stride = {volume.extent[1] * volume.extent[2],
                                             volume.extent[2], 1};
  const std::size_t down = axis == 0 ? 1 : 0;
  const std::size_t across = axis == 2 ? 1 : 2;
  Slice slice{volume.extent[down], volume.extent[across], {}};
  for (std::size_t r = slice.rows; r-- > 0;) {
    for (std::size_t c = slice.columns; c-- > 0;) {
      slice.voxels.push_back(position * stride[axis] + r * stride[down] + c * stride[across]);
    }
  }
  return slice;
}

// Of the planes across the shortest axis, the one that shows the most classes.
inline Slice most_telling_slice(const Volume& volume) {
  const auto shortest = std::min_element(volume.extent.begin(), volume.extent.end());
  const auto axis = static_cast<std::size_t>(shortest - volume.extent.begin());
  Slice best;
  std::size_t most = 0;
  for (std::size_t position = 0; position < *shortest; ++position) {
    Slice slice = slice_across(volume, axis, position);
    std::set<std::uint8_t> classes;
    for (const std::size_t voxel : slice.voxels) classes.insert(volume.reference[voxel]);
    if (classes.size() <= most) continue;
    most = classes.size();
    best = std::move(slice);
  }
  return best;
}

inline std::string hex_colour(double red, double green, double blue) {
  const auto byte = [](double x) {
    return static_cast<unsigned>(std::lround(255.0 * std::clamp(x, 0.0, 1.0)));
  };
  char text[16];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", byte(red), byte(green), byte(blue));
  return text;
}

// Hue in turns, below 1; saturation and lightness in [0, 1].
inline std::string hsl_colour(double hue, double saturation, double lightness) {
  const auto channel = [&](double offset) {
    double k = offset + 12.0 * hue;
    if (k >= 12.0) k -= 12.0;
    const double swing = saturation * std::min(lightness, 1.0 - lightness);
    return lightness - swing * std::clamp(std::min(k - 3.0, 9.0 - k), -1.0, 1.0);
  };
  return hex_colour(channel(0.0), channel(8.0), channel(4.0));
}

// Classes of one top-level structure, in the order of the tree.
struct Family {
  std::string name;
  std::vector<std::size_t> classes;
};

inline std::vector<Family> families(const Volume& volume) {
  const auto voxels = voxels_of_class(volume.reference, volume.tree.classes());
  const std::vector<std::int32_t> top = volume.tree.top_level();
  std::map<std::int32_t, Family> by_node;
  for (std::size_t c = 0; c < volume.tree.classes(); ++c) {
    if (voxels[c].empty()) continue;
    by_node[top[c]].name = volume.tree.name[top[c]];
    by_node[top[c]].classes.push_back(c);
  }
  std::vector<Family> list;
  for (auto& entry : by_node) list.push_back(std::move(entry.second));
  return list;
}

// Every family has its own range of hues, wider for a larger one, and every class in it its own hue
// and lightness. Class 0, the background, is nearly black; classes that the reference does not
// have are grey.
inline std::vector<std::string> class_colours(const Volume& volume) {
  const std::vector<Family> list = families(volume);
  const auto width = [](const Family& family) {
    return family.classes[0] == 0 ? 0.0 : std::sqrt(static_cast<double>(family.classes.size()));
  };
  double total = 0.0, begin = 0.0;
  for (const Family& family : list) total += width(family);
  std::vector<std::string> colour(volume.tree.classes(), "#9a9a9a");
  for (const Family& family : list) {
    const std::size_t members = family.classes.size();
    for (std::size_t m = 0; m < members; ++m) {
      const double place = (static_cast<double>(m) + 0.5) / static_cast<double>(members);
      const double hue = (begin + (0.1 + 0.8 * place) * width(family)) / total;
      const double lightness = std::array{0.56, 0.74, 0.40}[members > 1 ? m % 3 : 0];
      colour[family.classes[m]] = hsl_colour(hue, 0.62, lightness);
    }
    begin += width(family);
  }
  colour[0] = "#0a0c0f";
  return colour;
}

// One panel: a colour for every pixel of the slice, "" for none.
struct Panel {
  std::string title;
  std::string note;
  std::vector<std::string> pixels;
};

inline Panel label_panel(const Slice& slice, const std::vector<std::uint8_t>& labels,
                         const std::vector<std::string>& colours, std::string title,
                         std::string note) {
  Panel panel{std::move(title), std::move(note), {}};
  for (const std::size_t voxel : slice.voxels) panel.pixels.push_back(colours[labels[voxel]]);
  return panel;
}

// The image in a soft-tissue window; sparse annotation is painted over it.
inline Panel image_panel(const Slice& slice, const Volume& volume,
                         const std::vector<std::string>& colours) {
  const bool sparse = volume.annotation != volume.reference;
  Panel panel{"image", sparse ? "with its annotation" : "", {}};
  for (const std::size_t voxel : slice.voxels) {
    const std::uint8_t label = volume.annotation[voxel];
    if (sparse && label != kIgnoreLabel) {
      panel.pixels.push_back(label == 0 ? "#3b6ea5" : colours[label]);
      continue;
    }
    const double grey = std::clamp((volume.hounsfield[voxel] + 160.0) / 420.0, 0.0, 1.0);
    const double level = std::round(48.0 * grey) / 48.0;  // few levels: longer runs, smaller file
    panel.pixels.push_back(hex_colour(level, level, level));
  }
  return panel;
}

// Writes panels in rows of three, then a legend of the classes in the slice.
class SvgPicture {
 public:
  SvgPicture(const Slice& slice, std::string heading)
      : slice_(slice), zoom_(kPanelWidth / static_cast<double>(slice.columns)) {
    text(kMargin, kMargin + 14, 17, "#f2f2f2", "bold", heading);
  }

  void add(const Panel& panel) {
    const double left = kMargin + static_cast<double>(count_ % 3) * (kPanelWidth + kGap);
    const double top = kMargin + 44 + static_cast<double>(count_ / 3) * (panel_height() + 40);
    ++count_;
    text(left, top, 14, "#f2f2f2", "bold", panel.title);
    text(left + 9.2 * static_cast<double>(panel.title.size()) + 12, top, 12, "#aab2bb", "normal",
         panel.note);
    bottom_ = top + 8 + panel_height();
    char group[160];
    std::snprintf(group, sizeof group, "<g transform=\"translate(%.1f %.1f) scale(%.4f)\">\n", left,
                  top + 8, zoom_);
    body_ += group;
    for (const auto& [colour, path] : runs(panel)) {
      body_ += "<path fill=\"" + colour + "\" d=\"" + path + "\"/>\n";
    }
    body_ += "</g>\n";
  }

  void add_legend(const Volume& volume, const std::vector<std::string>& colours) {
    std::set<std::size_t> shown;
    for (const std::size_t voxel : slice_.voxels) shown.insert(volume.reference[voxel]);
    double y = bottom_ + 30;
    for (const Family& family : families(volume)) {
      std::vector<std::size_t> members;
      for (const std::size_t c : family.classes) {
        if (shown.count(c) != 0) members.push_back(c);
      }
      if (members.empty()) continue;
      text(kMargin, y, 12, "#f2f2f2", "bold", family.name);
      y = legend_row(volume, colours, members, y) + 20;
    }
    bottom_ = y - 14;
  }

  void save(const std::string& path) const {
    const double width = 2 * kMargin + 3 * kPanelWidth + 2 * kGap;
    char size[200];
    std::snprintf(size, sizeof size,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
                  "width=\"%.0f\" font-family=\"Helvetica, Arial, sans-serif\">\n",
                  width, bottom_ + kMargin, width);
    std::ofstream file(path);
    file << size << "<rect width=\"100%\" height=\"100%\" fill=\"#1c2127\"/>\n"
         << "<g shape-rendering=\"crispEdges\">\n" << body_ << "</g>\n" << labels_ << "</svg>\n";
    if (!file.flush()) throw std::runtime_error("cannot write " + path);
  }

 private:
  static constexpr double kMargin = 20, kGap = 16, kPanelWidth = 360, kLegendIndent = 96;

  double panel_height() const { return zoom_ * static_cast<double>(slice_.rows); }

  // Pixels of equal colour in a row become one rectangle, rectangles of a colour one path.
  std::map<std::string, std::string> runs(const Panel& panel) const {
    std::map<std::string, std::string> paths;
    for (std::size_t row = 0; row < slice_.rows; ++row) {
      const std::string* line = &panel.pixels[row * slice_.columns];
      for (std::size_t begin = 0, end = 0; begin < slice_.columns; begin = end) {
        while (end < slice_.columns && line[end] == line[begin]) ++end;
        const std::string length = std::to_string(end - begin);
        paths[line[begin]] += "M" + std::to_string(begin) + " " + std::to_string(row) + "h" +
                              length + "v1h-" + length + "z";
      }
    }
    return paths;
  }

  void text(double x, double y, int size, const char* fill, const char* weight,
            const std::string& words) {
    char open[160];
    std::snprintf(open, sizeof open,
                  "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%d\" fill=\"%s\" font-weight=\"%s\">", x,
                  y, size, fill, weight);
    labels_ += open;
    for (const char letter : words) {
      if (letter == '&') labels_ += "&amp;";
      else if (letter == '<') labels_ += "&lt;";
      else labels_ += letter == '_' ? ' ' : letter;
    }
    labels_ += "</text>\n";
  }

  // Swatches and names of one family; returns the line of the last one.
  double legend_row(const Volume& volume, const std::vector<std::string>& colours,
                    const std::vector<std::size_t>& members, double y) {
    double x = kMargin + kLegendIndent;
    for (const std::size_t c : members) {
      const std::string& name = volume.tree.class_name(c);
      const double width = 34 + 6.4 * static_cast<double>(name.size());
      if (x + width > kMargin + 3 * kPanelWidth + 2 * kGap) {
        x = kMargin + kLegendIndent;
        y += 18;
      }
      char swatch[160];
      std::snprintf(swatch, sizeof swatch,
                    "<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" rx=\"2\" fill=\"%s\" "
                    "stroke=\"#59636e\" stroke-width=\"0.5\"/>\n",
                    x, y - 10, colours[c].c_str());
      labels_ += swatch;
      text(x + 17, y, 12, "#d5dae0", "normal", name);
      x += width;
    }
    return y;
  }

  const Slice& slice_;
  double zoom_;
  std::size_t count_ = 0;
  double bottom_ = 0.0;
  std::string body_;
  std::string labels_;
};

}  // namespace train
