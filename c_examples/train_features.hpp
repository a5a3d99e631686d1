// Per-voxel features: the image at several scales, its edges, and the position.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "train_volume.hpp"

namespace train {

using Field = std::vector<float>;
using Extent = std::array<std::size_t, 3>;

// Mean over 2 * radius + 1 voxels of one line with the given stride; the ends are repeated.
inline void box_blur_line(float* line, std::size_t length, std::size_t stride, std::size_t radius,
                          std::vector<float>& copy) {
  copy.resize(length);
  for (std::size_t i = 0; i < length; ++i) copy[i] = line[i * stride];
  const auto at = [&](std::size_t i) {  // i is shifted by radius, so that it stays unsigned
    return copy[std::clamp(i, radius, length - 1 + radius) - radius];
  };
  double sum = 0.0;
  for (std::size_t k = 0; k < 2 * radius + 1; ++k) sum += at(k);
  for (std::size_t i = 0; i < length; ++i) {
    line[i * stride] = static_cast<float>(sum / static_cast<double>(2 * radius + 1));
    sum += at(i + 2 * radius + 1) - at(i);
  }
}

// Box blur along all axes; three passes come close to a Gaussian.
inline Field blurred(Field field, const Extent& extent, std::size_t radius, int passes = 3) {
  const Extent stride = {extent[1] * extent[2], extent[2], 1};
  std::vector<float> copy;
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      for (std::size_t i = 0; i < field.size(); ++i) {
        const bool starts_a_line = i / stride[axis] % extent[axis] == 0;
        if (starts_a_line) box_blur_line(&field[i], extent[axis], stride[axis], radius, copy);
      }
    }
  }
  return field;
}

// Central difference along one axis, one-sided at the ends.
inline Field difference(const Field& field, const Extent& extent, std::size_t axis) {
  const Extent stride = {extent[1] * extent[2], extent[2], 1};
  Field result(field.size());
  for (std::size_t i = 0; i < field.size(); ++i) {
    const std::size_t position = i / stride[axis] % extent[axis];
    const std::size_t before = position > 0 ? i - stride[axis] : i;
    const std::size_t after = position + 1 < extent[axis] ? i + stride[axis] : i;
    result[i] = 0.5f * (field[after] - field[before]);
  }
  return result;
}

// Hounsfield units clipped to a window.
inline Field windowed(const Field& hounsfield, float low, float high) {
  Field result = hounsfield;
  for (float& value : result) value = std::clamp(value, low, high);
  return result;
}

// Features of every voxel, one row per voxel. The last one is 1, so that its weights are the bias.
struct FeatureTable {
  std::size_t features = 0;
  std::vector<float> values;  // [voxel][feature]

  const float* row(std::size_t voxel) const { return &values[voxel * features]; }
};

inline void standardise(Field& field) {
  double sum = 0.0, squares = 0.0;
  for (const float value : field) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const double count = static_cast<double>(field.size());
  const double mean = sum / count;
  const double deviation = std::sqrt(std::max(1e-12, squares / count - mean * mean));
  for (float& value : field) value = static_cast<float>((value - mean) / deviation);
}

inline void append_intensities(const Volume& volume, std::vector<Field>& fields) {
  const Field soft_tissue = windowed(volume.hounsfield, -160.0f, 260.0f);
  const Field wide = windowed(volume.hounsfield, -1000.0f, 700.0f);
  fields.push_back(soft_tissue);
  fields.push_back(wide);
  for (const std::size_t radius : {1, 2, 4, 8}) {
    fields.push_back(blurred(soft_tissue, volume.extent, radius));
    fields.push_back(blurred(wide, volume.extent, radius));
  }
}

inline void append_edges(const Field& image, const Extent& extent, std::vector<Field>& fields) {
  for (const std::size_t radius : {1, 4}) {
    const Field smooth = blurred(image, extent, radius);
    Field magnitude(smooth.size());
    for (std::size_t axis = 0; axis < 3; ++axis) {
      Field slope = difference(smooth, extent, axis);
      for (std::size_t i = 0; i < slope.size(); ++i) magnitude[i] += slope[i] * slope[i];
      fields.push_back(std::move(slope));
    }
    for (float& value : magnitude) value = std::sqrt(value);
    fields.push_back(std::move(magnitude));
  }
}

// Coordinates and a few of their Fourier terms: with them one hidden layer can tell places apart.
inline void append_position(const Volume& volume, std::vector<Field>& fields) {
  constexpr float pi = 3.14159265f;
  const Extent stride = {volume.extent[1] * volume.extent[2], volume.extent[2], 1};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    Field position(volume.voxels());
    const auto last = static_cast<float>(std::max<std::size_t>(1, volume.extent[axis] - 1));
    for (std::size_t i = 0; i < position.size(); ++i) {
      position[i] = static_cast<float>(i / stride[axis] % volume.extent[axis]) / last;
    }
    for (const float frequency : {1.0f, 2.0f, 4.0f}) {
      Field sine(position.size()), cosine(position.size());
      for (std::size_t i = 0; i < position.size(); ++i) {
        sine[i] = std::sin(frequency * pi * position[i]);
        cosine[i] = std::cos(frequency * pi * position[i]);
      }
      fields.push_back(std::move(sine));
      fields.push_back(std::move(cosine));
    }
    fields.push_back(std::move(position));
  }
}

inline FeatureTable table_of(std::vector<Field> fields) {
  for (Field& field : fields) standardise(field);
  FeatureTable table;
  table.features = fields.size() + 1;
  table.values.assign(fields[0].size() * table.features, 1.0f);
  for (std::size_t f = 0; f < fields.size(); ++f) {
    for (std::size_t i = 0; i < fields[f].size(); ++i) {
      table.values[i * table.features + f] = fields[f][i];
    }
  }
  return table;
}

inline FeatureTable make_features(const Volume& volume) {
  std::vector<Field> fields;
  append_intensities(volume, fields);
  append_edges(windowed(volume.hounsfield, -160.0f, 260.0f), volume.extent, fields);
  append_position(volume, fields);
  return table_of(std::move(fields));
}

}  // namespace train
