// The scans of the study: which are trained on, which one decides when to stop, which one judges.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "study_scan.hpp"
#include "train_volume.hpp"

namespace study {

struct Scans {
  std::string title;
  std::string split;  // how training, validation and test differ
  std::vector<Scan> training;
  Scan validation;
  Scan test;
};

// Slices are thicker than pixels are wide, as in most clinical scans.
inline Scans phantom_scans(std::uint64_t seed) {
  constexpr Extent small = {24, 64, 64}, large = {36, 112, 112};
  constexpr Spacing spacing = {2.0, 1.0, 1.0};
  Scans scans;
  scans.title = "phantom";
  scans.split = "every scan has lesions, tissue, bias and noise of its own (own seed)";
  for (std::uint64_t i = 0; i < 4; ++i) {
    scans.training.push_back(make_phantom(small, spacing, seed + i));
  }
  scans.validation = make_phantom(small, spacing, seed + 4);
  scans.test = make_phantom(large, spacing, seed + 5);
  return scans;
}

struct Box {
  Extent begin;
  Extent end;
};

// A box of a mask, with an image synthesised for it.
inline Scan cut(const train::RawArray& mask, const Spacing& spacing, const Box& box,
                std::uint64_t seed) {
  Scan scan;
  scan.spacing = spacing;
  for (std::size_t a = 0; a < 3; ++a) scan.extent[a] = box.end[a] - box.begin[a];
  for (std::size_t z = box.begin[0]; z < box.end[0]; ++z) {
    for (std::size_t y = box.begin[1]; y < box.end[1]; ++y) {
      for (std::size_t x = box.begin[2]; x < box.end[2]; ++x) {
        const std::size_t at = (z * mask.extent[1] + y) * mask.extent[2] + x;
        scan.mask.push_back(mask.bytes[at] != 0 ? 1 : 0);
      }
    }
  }
  std::mt19937_64 random(seed);
  scan.image = synthesise(scan.mask, scan.extent, spacing, random);
  return scan;
}

// The lesions of ms_lesion_p09_ref. The left half: four boxes for training below slice 80, and what
// lies above for validation. The right half is the test.
inline Scans real_scans(const std::string& directory, std::uint64_t seed) {
  const std::string name = "ms_lesion_p09_ref";
  const train::RawArray mask = train::load_raw(directory, name, "u8", 1);
  const std::string json = train::read_file(directory + '/' + name + ".json");
  const Spacing spacing = train::three_numbers<double>(json, "spacing_mm");
  const Extent& extent = mask.extent;
  if (extent != Extent{107, 126, 104}) throw std::runtime_error(name + " has an unknown shape");
  Scans scans;
  scans.title = "lesions of ms_lesion_p09_ref, synthesised image";
  scans.split = "training and validation: the left half, below and above slice 80; test: the right "
                "half\nevery part has tissue, bias and noise of its own (own seed)";
  for (std::size_t z = 0; z < 80; z += 40) {
    for (std::size_t y = 0; y < 124; y += 62) {
      scans.training.push_back(cut(mask, spacing, {{z, y, 0}, {z + 40, y + 62, 52}}, seed++));
    }
  }
  scans.validation = cut(mask, spacing, {{80, 0, 0}, {107, 126, 52}}, seed++);
  scans.test = cut(mask, spacing, {{0, 0, 52}, extent}, seed);
  return scans;
}

}  // namespace study
