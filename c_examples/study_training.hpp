// Training with one loss on whole scans, one scan a step, until validation stops improving.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "study_data.hpp"
#include "study_metrics.hpp"
#include "train_loop.hpp"
#include "train_loss.hpp"
#include "train_network.hpp"

namespace study {

struct Rule {
  std::size_t most_epochs = 80;
  std::size_t patience = 25;        // epochs without a better validation Dice
  double least_improvement = 1e-3;  // what counts as better
};

// A training scan with what does not change over epochs and losses: the features, and the distance
// field of its labels.
struct Prepared {
  const Scan* scan;
  train::FeatureTable features;
  std::vector<float> target_field;
};

inline segloss_input describe(const Scan& scan) {
  return train::describe_sample(2, {scan.extent.begin(), scan.extent.end()});
}

inline std::vector<float> target_field(const Scan& scan, std::size_t threads) {
  segloss_input input = describe(scan);
  input.target.data = scan.mask.data();
  segloss_detail detail{};
  std::uint64_t bytes = 0;
  train::require(segloss_target_fields_scratch_size(&input, scan.spacing.data(), threads, &bytes,
                                                    &detail),
                 "segloss_target_fields_scratch_size", &detail);
  std::vector<unsigned char> scratch(bytes);
  std::vector<float> field(input.scores.length);
  const segloss_executor executor{&threads, threads, train::run_segloss_tasks};
  train::require(segloss_target_fields(&input, scan.spacing.data(), field.data(), field.size(),
                                       {scratch.data(), scratch.size()}, &executor, &detail),
                 "segloss_target_fields", &detail);
  return field;
}

struct Trained {
  std::vector<float> weights;    // of the epoch with the best validation Dice
  std::size_t epochs = 0;        // until the rule stopped it
  std::size_t best_epoch = 0;
  std::size_t empty_epochs = 0;  // in which no voxel of the validation scan was called a lesion
  bool stopped = false;          // by the rule; else the epochs ran out
  bool empty_at_end = false;
  double seconds = 0.0;
  double loss_seconds = 0.0;
};

class Trainer {
 public:
  // All training scans have one extent.
  Trainer(const std::vector<Prepared>& training, const Scan& validation,
          const train::FeatureTable& validation_features, const train::Schedule& schedule,
          const Rule& rule)
      : training_(training),
        validation_(validation),
        validation_features_(validation_features),
        schedule_(schedule),
        rule_(rule),
        all_voxels_(schedule.batch_voxels),
        scores_(2 * schedule.batch_voxels) {
    std::iota(all_voxels_.begin(), all_voxels_.end(), 0u);
  }

  Trained train(train::Network& network, train::Loss& loss) {
    train::Adam adam(network.shape().weights(), schedule_.learning_rate,
                     rule_.most_epochs * training_.size());
    train::Progress progress(loss.name(), "epoch", rule_.most_epochs);
    Trained result;
    double best_dice = -1.0;
    while (!result.stopped && result.epochs < rule_.most_epochs) {
      progress.show(++result.epochs, epoch(network, loss, adam));
      const std::vector<std::uint8_t> prediction = train::predict(
          network, validation_features_, validation_.voxels(), schedule_.threads);
      result.empty_at_end = std::count(prediction.begin(), prediction.end(), 1) == 0;
      result.empty_epochs += result.empty_at_end;
      const double dice = lesion_dice(prediction, validation_);
      if (dice >= best_dice + rule_.least_improvement) {
        best_dice = dice;
        result.best_epoch = result.epochs;
        result.weights = network.weights();
      }
      result.stopped = result.epochs - result.best_epoch >= rule_.patience;
    }
    progress.end();
    result.seconds = progress.seconds();
    result.loss_seconds = loss.seconds();
    return result;
  }

 private:
  // Mean loss over the scans; one step for each.
  double epoch(train::Network& network, train::Loss& loss, train::Adam& adam) {
    double sum = 0.0;
    for (const Prepared& sample : training_) {
      train::BatchPass pass(sample.features, network.shape(), schedule_);
      pass.forward(network, all_voxels_, scores_);
      sum += loss.evaluate(scores_, sample.scan->mask, sample.target_field.data());
      pass.backward(network, all_voxels_, scores_, gradient_);
      adam.step(gradient_, network.weights());
      network.update_transpose();
    }
    return sum / static_cast<double>(training_.size());
  }

  const std::vector<Prepared>& training_;
  const Scan& validation_;
  const train::FeatureTable& validation_features_;
  train::Schedule schedule_;
  Rule rule_;
  std::vector<std::uint32_t> all_voxels_;
  std::vector<float> scores_;
  std::vector<float> gradient_;
};

}  // namespace study
