// A scan with lesions: the phantom's masks, and the image that is synthesised for a mask.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "train_features.hpp"
#include "train_random.hpp"

namespace study {

using train::Extent;
using train::Field;
using Spacing = std::array<double, 3>;
using Point = std::array<double, 3>;

struct Scan {
  Extent extent{};    // z, y, x
  Spacing spacing{};  // mm
  Field image;
  std::vector<std::uint8_t> mask;  // 1 in lesions

  std::size_t voxels() const { return extent[0] * extent[1] * extent[2]; }
  std::size_t lesion_voxels() const {
    return static_cast<std::size_t>(std::count(mask.begin(), mask.end(), 1));
  }
};

// Calls visit(index, position in mm) for every voxel whose centre lies in the box of that
// half-width around `centre`.
template <class Visit>
void for_box(const Extent& extent, const Spacing& spacing, const Point& centre, double half_width,
             const Visit& visit) {
  Extent begin{}, end{};
  for (std::size_t a = 0; a < 3; ++a) {
    const auto bound = [&](double mm) {
      return static_cast<std::size_t>(
          std::clamp(std::ceil(mm / spacing[a]), 0.0, static_cast<double>(extent[a])));
    };
    begin[a] = bound(centre[a] - half_width);
    end[a] = bound(centre[a] + half_width);
  }
  for (std::size_t z = begin[0]; z < end[0]; ++z) {
    for (std::size_t y = begin[1]; y < end[1]; ++y) {
      for (std::size_t x = begin[2]; x < end[2]; ++x) {
        const Point mm = {static_cast<double>(z) * spacing[0], static_cast<double>(y) * spacing[1],
                          static_cast<double>(x) * spacing[2]};
        visit((z * extent[1] + y) * extent[2] + x, mm);
      }
    }
  }
}

inline Point random_point(const Extent& extent, const Spacing& spacing, std::mt19937_64& random) {
  Point mm{};
  for (std::size_t a = 0; a < 3; ++a) {
    mm[a] = train::uniform(random) * static_cast<double>(extent[a]) * spacing[a];
  }
  return mm;
}

// How many structures of a kind a volume holds, one in every `mm3` cubic millimetres.
inline std::size_t one_in_every(double mm3, const Extent& extent, const Spacing& spacing) {
  double volume = 1.0;
  for (std::size_t a = 0; a < 3; ++a) volume *= static_cast<double>(extent[a]) * spacing[a];
  return static_cast<std::size_t>(volume / mm3);
}

// Scattered ellipsoids with semi-axes of 1.5 to 4 mm.
inline std::vector<std::uint8_t> lesion_mask(const Extent& extent, const Spacing& spacing,
                                             std::mt19937_64& random) {
  std::vector<std::uint8_t> mask(extent[0] * extent[1] * extent[2]);
  for (std::size_t i = one_in_every(12000.0, extent, spacing); i > 0; --i) {
    const Point centre = random_point(extent, spacing, random);
    Point radii{};
    for (double& radius : radii) radius = 1.5 + 2.5 * train::uniform(random);
    for_box(extent, spacing, centre, 4.0, [&](std::size_t voxel, const Point& mm) {
      double norm = 0.0;
      for (std::size_t a = 0; a < 3; ++a) norm += std::pow((mm[a] - centre[a]) / radii[a], 2);
      if (norm <= 1.0) mask[voxel] = 1;
    });
  }
  return mask;
}

// A field without structures smaller than the radius, mean 0 and deviation 1.
inline Field smooth_field(const Extent& extent, std::size_t radius, std::mt19937_64& random) {
  Field field(extent[0] * extent[1] * extent[2]);
  for (float& value : field) value = static_cast<float>(train::normal(random));
  field = train::blurred(field, extent, radius);
  train::standardise(field);
  return field;
}

// Vessels: straight bright threads, as bright as lesions, but thin. What makes the task one of
// shape as well.
inline void add_vessels(Field& field, const Extent& extent, const Spacing& spacing,
                        float brightness, std::mt19937_64& random) {
  constexpr double half_length = 10.0, radius = 1.0;
  for (std::size_t i = one_in_every(9000.0, extent, spacing); i > 0; --i) {
    const Point centre = random_point(extent, spacing, random);
    Point axis{};
    for (double& component : axis) component = train::normal(random);
    const double length = std::sqrt(axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2]);
    for_box(extent, spacing, centre, half_length, [&](std::size_t voxel, const Point& mm) {
      double along = 0.0, square = 0.0;
      for (std::size_t a = 0; a < 3; ++a) {
        along += (mm[a] - centre[a]) * axis[a] / length;
        square += (mm[a] - centre[a]) * (mm[a] - centre[a]);
      }
      if (square - along * along <= radius * radius) field[voxel] = brightness;
    });
  }
}

// Two tissues, lesions of uneven brightness, vessels, partial volume, a bias field and noise.
inline Field synthesise(const std::vector<std::uint8_t>& mask, const Extent& extent,
                        const Spacing& spacing, std::mt19937_64& random) {
  constexpr float tissue = 0.4f, lesion = 1.2f, unevenness = 0.25f, bias = 0.12f, noise = 0.2f;
  const Field folds = smooth_field(extent, 3, random);
  const Field shade = smooth_field(extent, 4, random);
  Field image(mask.size());
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = folds[i] > 0.0f ? tissue : 0.0f;
  add_vessels(image, extent, spacing, lesion, random);
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (mask[i] != 0) image[i] = lesion * (1.0f + unevenness * shade[i]);
  }
  image = train::blurred(image, extent, 1, 1);
  const Field slope = smooth_field(extent, 12, random);
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] = (1.0f + image[i]) * (1.0f + bias * slope[i]) +
               noise * static_cast<float>(train::normal(random));
  }
  return image;
}

inline Scan make_phantom(const Extent& extent, const Spacing& spacing, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Scan scan{extent, spacing, {}, lesion_mask(extent, spacing, random)};
  scan.image = synthesise(scan.mask, extent, spacing, random);
  return scan;
}

// What the network sees of a voxel: its surroundings at several scales, and edges. No position,
// since lesions are anywhere.
inline train::FeatureTable make_features(const Scan& scan) {
  std::vector<Field> fields = {scan.image};
  for (const std::size_t radius : {1, 2, 4, 8}) {
    fields.push_back(train::blurred(scan.image, scan.extent, radius));
  }
  train::append_edges(scan.image, scan.extent, fields);
  return train::table_of(std::move(fields));
}

}  // namespace study
