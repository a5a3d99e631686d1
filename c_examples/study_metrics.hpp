// Dice, mean surface distance and surface Dice of a prediction, through segloss.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "segloss.h"
#include "study_scan.hpp"
#include "train_loss.hpp"
#include "train_parallel.hpp"

namespace study {

struct Judgement {
  double dice;
  std::uint32_t state;   // SEGLOSS_CLASS_...: distances are defined if both masks hold a voxel
  double masd_mm;
  double surface_dice;
};

inline segloss_label_pair pair_of(const std::vector<std::uint8_t>& prediction, const Scan& scan) {
  segloss_label_pair pair;
  train::require(segloss_label_pair_init(&pair, sizeof pair), "segloss_label_pair_init", nullptr);
  pair.classes = 2;
  for (std::size_t a = 0; a < 3; ++a) {
    pair.extent[a] = scan.extent[a];
    pair.spacing[a] = scan.spacing[a];
  }
  pair.prediction = {prediction.data(), prediction.size(), SEGLOSS_U8};
  pair.reference = {scan.mask.data(), scan.mask.size(), SEGLOSS_U8};
  return pair;
}

// Dice of the lesions; every scan here has some, so that it is always defined.
inline double lesion_dice(const std::vector<std::uint8_t>& prediction, const Scan& scan) {
  const segloss_label_pair pair = pair_of(prediction, scan);
  std::array<segloss_overlap_counts, 2> counts{};
  segloss_detail detail{};
  train::require(
      segloss_count_overlap(&pair, nullptr, 0, counts.data(), counts.size(), &detail),
      "segloss_count_overlap", &detail);
  double dice = 0.0;
  train::require(segloss_overlap_score(&counts[1], SEGLOSS_METRIC_DICE, 0.0, 0.0, &dice, &detail),
                 "segloss_overlap_score", &detail);
  return dice;
}

inline Judgement judge(const std::vector<std::uint8_t>& prediction, const Scan& scan,
                       double tolerance_mm, std::size_t threads) {
  const segloss_label_pair pair = pair_of(prediction, scan);
  segloss_surface_options options;
  train::require(segloss_surface_options_init(&options, sizeof options),
                 "segloss_surface_options_init", nullptr);
  options.tolerances = {&tolerance_mm, 1};
  segloss_detail detail{};
  std::uint64_t bytes = 0;
  train::require(segloss_surface_scratch_size(&options, &pair, threads, &bytes, &detail),
                 "segloss_surface_scratch_size", &detail);
  std::vector<unsigned char> scratch(bytes);
  std::array<segloss_surface_result, 2> results{};
  std::array<segloss_tolerance_shares, 2> shares{};
  const segloss_executor executor{&threads, threads, train::run_segloss_tasks};
  train::require(segloss_surface_metrics(&options, &pair, results.data(), results.size(), nullptr,
                                         0, shares.data(), shares.size(),
                                         {scratch.data(), scratch.size()}, &executor, &detail),
                 "segloss_surface_metrics", &detail);
  return {lesion_dice(prediction, scan), results[1].state, results[1].masd,
          shares[1].surface_dice};
}

}  // namespace study
