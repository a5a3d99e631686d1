// The built-in phantom: a CT-like torso of nested organs, painted shape over shape.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "train_features.hpp"
#include "train_random.hpp"
#include "train_volume.hpp"

namespace train {

// Coordinates run from -1 to 1: z upwards, y to the front, x to the patient's right.
using Point = std::array<double, 3>;

enum PhantomClass : std::uint8_t {
  kBackground, kFat, kMuscle, kLeftLung, kRightLung, kMyocardium, kLeftVentricle,
  kRightVentricle, kLiver, kLiverVessel, kLesion, kLeftKidney, kRightKidney, kSpleen,
  kVertebra, kSpinalCanal, kPhantomClasses
};

struct Ellipsoid {
  PhantomClass label;
  Point centre;
  Point radii;
};

struct Tube {
  PhantomClass label;
  Point begin;
  Point end;
  double radius;
};

inline LabelTree phantom_tree() {
  LabelTree tree;
  tree.leaf_of_class.assign(kPhantomClasses, 0);
  const auto inner = [&](std::int32_t parent, const char* name) {
    tree.parent.push_back(parent);
    tree.name.push_back(name);
    return static_cast<std::int32_t>(tree.nodes() - 1);
  };
  const auto leaf = [&](std::int32_t parent, const char* name, PhantomClass label) {
    tree.leaf_of_class[label] = inner(parent, name);
  };
  const std::int32_t root = inner(-1, "root");
  leaf(root, "background", kBackground);
  const std::int32_t body = inner(root, "body");
  const std::int32_t wall = inner(body, "body wall");
  leaf(wall, "fat", kFat);
  leaf(wall, "muscle", kMuscle);
  const std::int32_t lungs = inner(body, "lungs");
  leaf(lungs, "left lung", kLeftLung);
  leaf(lungs, "right lung", kRightLung);
  const std::int32_t heart = inner(body, "heart");
  leaf(heart, "myocardium", kMyocardium);
  leaf(heart, "left ventricle", kLeftVentricle);
  leaf(heart, "right ventricle", kRightVentricle);
  const std::int32_t liver = inner(body, "liver");
  leaf(liver, "parenchyma", kLiver);
  leaf(liver, "vessels", kLiverVessel);
  leaf(liver, "lesion", kLesion);
  const std::int32_t kidneys = inner(body, "kidneys");
  leaf(kidneys, "left kidney", kLeftKidney);
  leaf(kidneys, "right kidney", kRightKidney);
  leaf(body, "spleen", kSpleen);
  const std::int32_t spine = inner(body, "spine");
  leaf(spine, "vertebrae", kVertebra);
  leaf(spine, "spinal canal", kSpinalCanal);
  return tree;
}

inline double squared_norm(const Point& p) { return p[0] * p[0] + p[1] * p[1] + p[2] * p[2]; }

inline bool contains(const Ellipsoid& shape, const Point& p) {
  Point scaled{};
  for (int a = 0; a < 3; ++a) scaled[a] = (p[a] - shape.centre[a]) / shape.radii[a];
  return squared_norm(scaled) <= 1.0;
}

inline bool contains(const Tube& shape, const Point& p) {
  Point axis{}, offset{}, rest{};
  double along = 0.0;
  for (int a = 0; a < 3; ++a) {
    axis[a] = shape.end[a] - shape.begin[a];
    offset[a] = p[a] - shape.begin[a];
    along += axis[a] * offset[a];
  }
  const double t = std::fmin(1.0, std::fmax(0.0, along / squared_norm(axis)));
  for (int a = 0; a < 3; ++a) rest[a] = offset[a] - t * axis[a];
  return squared_norm(rest) <= shape.radius * shape.radius;
}

// A gentle wave bends every surface, so that no organ is an exact ellipsoid.
inline Point warp(const Point& p) {
  return {p[0] + 0.040 * std::sin(4.1 * p[1] + 3.0 * p[2] + 0.4),
          p[1] + 0.035 * std::sin(3.7 * p[2] - 2.9 * p[0] + 1.1),
          p[2] + 0.035 * std::sin(4.3 * p[0] + 3.3 * p[1] + 2.0)};
}

// The class at a point: of the shapes that contain it, the last one painted.
inline PhantomClass phantom_class(const Point& straight) {
  static const std::vector<Ellipsoid> large = {
      {kFat, {0.0, 0.0, 0.0}, {2.4, 0.88, 0.92}},
      {kMuscle, {0.0, 0.0, 0.0}, {2.2, 0.77, 0.82}},
      {kFat, {0.0, 0.06, 0.0}, {1.9, 0.63, 0.70}},
      {kRightLung, {0.42, 0.0, 0.38}, {0.62, 0.55, 0.30}},
      {kLeftLung, {0.46, 0.0, -0.40}, {0.60, 0.55, 0.27}},
      {kMyocardium, {0.26, 0.10, -0.08}, {0.28, 0.32, 0.26}},
      {kRightVentricle, {0.28, 0.16, 0.04}, {0.15, 0.18, 0.085}},
      {kLeftVentricle, {0.24, 0.08, -0.16}, {0.17, 0.19, 0.10}},
      {kLiver, {-0.24, 0.08, 0.30}, {0.38, 0.52, 0.36}},
      {kLiver, {-0.18, 0.16, -0.02}, {0.19, 0.34, 0.28}},
      {kSpleen, {-0.22, -0.12, -0.50}, {0.24, 0.32, 0.14}},
      {kRightKidney, {-0.72, -0.10, 0.34}, {0.21, 0.22, 0.13}},
      {kLeftKidney, {-0.66, -0.10, -0.36}, {0.22, 0.22, 0.13}},
  };
  static const std::vector<Tube> tubes = {
      {kLiverVessel, {-0.30, 0.04, 0.00}, {-0.22, 0.08, 0.26}, 0.055},
      {kLiverVessel, {-0.22, 0.08, 0.26}, {-0.04, 0.12, 0.46}, 0.045},
      {kLiverVessel, {-0.22, 0.08, 0.26}, {-0.38, 0.10, 0.50}, 0.045},
      {kLiverVessel, {-0.24, 0.08, 0.16}, {-0.10, 0.30, 0.24}, 0.040},
      {kVertebra, {-2.0, -0.48, 0.0}, {2.0, -0.48, 0.0}, 0.17},
      {kSpinalCanal, {-2.0, -0.56, 0.0}, {2.0, -0.56, 0.0}, 0.06},
  };
  static const std::vector<Ellipsoid> lesions = {
      {kLesion, {-0.08, 0.06, 0.26}, {0.09, 0.12, 0.08}},
      {kLesion, {-0.42, 0.12, 0.36}, {0.10, 0.12, 0.09}},
      {kLesion, {-0.22, 0.30, 0.50}, {0.08, 0.09, 0.07}},
  };
  const Point p = warp(straight);
  PhantomClass found = kBackground;
  for (const Ellipsoid& shape : large) found = contains(shape, p) ? shape.label : found;
  for (const Tube& shape : tubes) found = contains(shape, p) ? shape.label : found;
  for (const Ellipsoid& shape : lesions) found = contains(shape, p) ? shape.label : found;
  return found;
}

// Mean Hounsfield units of every class, as in the portal venous phase.
inline float phantom_hounsfield(PhantomClass label) {
  constexpr std::array<float, kPhantomClasses> mean = {
      -1000, -100, 55, -820, -800, 95, 170, 150, 105, 165, 55, 175, 170, 125, 320, 20};
  return mean[label];
}

// 64 x 60 x 88 voxels; blurred for partial volume, then noisy.
inline Volume make_phantom(std::uint64_t seed) {
  Volume volume;
  volume.title = "phantom";
  volume.extent = {64, 60, 88};
  volume.tree = phantom_tree();
  const auto coordinate = [&](std::size_t i, int axis) {
    return 2.0 * (static_cast<double>(i) + 0.5) / static_cast<double>(volume.extent[axis]) - 1.0;
  };
  for (std::size_t z = 0; z < volume.extent[0]; ++z) {
    for (std::size_t y = 0; y < volume.extent[1]; ++y) {
      for (std::size_t x = 0; x < volume.extent[2]; ++x) {
        const PhantomClass label =
            phantom_class({coordinate(z, 0), coordinate(y, 1), coordinate(x, 2)});
        volume.reference.push_back(label);
        volume.hounsfield.push_back(phantom_hounsfield(label));
      }
    }
  }
  volume.annotation = volume.reference;
  volume.hounsfield = blurred(volume.hounsfield, volume.extent, 1, 1);
  std::mt19937_64 random(seed);
  for (float& value : volume.hounsfield) {
    value += static_cast<float>(25.0 * normal(random));
  }
  return volume;
}

}  // namespace train
