// Trains a small per-voxel network on one volume with four losses of segloss, one after the other,
// and compares them. See --help.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "segloss.h"
#include "train_features.hpp"
#include "train_loop.hpp"
#include "train_loss.hpp"
#include "train_metrics.hpp"
#include "train_network.hpp"
#include "train_phantom.hpp"
#include "train_picture.hpp"
#include "train_volume.hpp"

namespace {

constexpr std::uint64_t kSeed = 20250717;

constexpr const char* kHelp =
    "usage: train [options]\n"
    "  --data DIR      the real CT in DIR (abdomen_ct_image, abdomen_ct_ref, abdomen_ct_tree.csv)\n"
    "                  instead of the built-in phantom\n"
    "  --annotated F   only about this share of the voxels is annotated, 0 < F <= 1 (default 1)\n"
    "  --steps N       training steps per loss (default 400)\n"
    "  --threads N     threads (default: one per core); the results do not depend on it\n"
    "  --picture FILE  where to draw one slice, as SVG (default train.svg)\n"
    "  --quick         a few seconds: few steps, for tests\n";

struct Options {
  std::string data;
  std::string picture = "train.svg";
  double annotated = 1.0;
  std::size_t steps = 400;
  std::size_t threads = train::default_threads();
};

std::size_t positive_integer(const std::string& option, const std::string& value) {
  char* end = nullptr;
  const long number = std::strtol(value.c_str(), &end, 10);
  if (*end != '\0' || number < 1) throw std::runtime_error(option + " needs a positive integer");
  return static_cast<std::size_t>(number);
}

double share(const std::string& option, const std::string& value) {
  char* end = nullptr;
  const double number = std::strtod(value.c_str(), &end);
  const bool valid = *end == '\0' && number > 0.0 && number <= 1.0;
  if (!valid) throw std::runtime_error(option + " needs a number in (0, 1]");
  return number;
}

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string option = arguments[i];
    if (option == "--help") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    }
    if (option == "--quick") {
      options.steps = 60;
      continue;
    }
    if (i + 1 == count) throw std::runtime_error("unknown option or missing value: " + option);
    const std::string value = arguments[++i];
    if (option == "--data") options.data = value;
    else if (option == "--picture") options.picture = value;
    else if (option == "--annotated") options.annotated = share(option, value);
    else if (option == "--steps") options.steps = positive_integer(option, value);
    else if (option == "--threads") options.threads = positive_integer(option, value);
    else throw std::runtime_error("unknown option: " + option);
  }
  return options;
}

struct Outcome {
  std::string name;
  train::Scores scores;
  double seconds;
  double loss_seconds;
  std::vector<std::uint8_t> prediction;
};

struct Candidate {
  const char* name;
  std::vector<segloss_term> terms;
};

std::vector<Candidate> candidates() {
  return {{"CE", train::single_term(SEGLOSS_TERM_CROSS_ENTROPY)},
          {"Wasserstein + CE", train::preset_terms(SEGLOSS_PRESET_WASSERSTEIN_CROSS_ENTROPY)},
          {"tree CE", train::preset_terms(SEGLOSS_PRESET_TREE_CROSS_ENTROPY)},
          {"Tversky", train::preset_terms(SEGLOSS_PRESET_TVERSKY)}};
}

train::Volume load(const Options& options) {
  train::Volume volume =
      options.data.empty() ? train::make_phantom(kSeed) : train::load_abdomen_ct(options.data);
  if (options.annotated < 1.0) train::annotate_sparsely(volume, options.annotated, kSeed);
  return volume;
}

// 1 for every class that has an annotated voxel, 0 for the others.
std::vector<double> annotated_classes(const train::Volume& volume) {
  std::vector<double> present;
  for (const auto& voxels : train::voxels_of_class(volume.annotation, volume.tree.classes())) {
    present.push_back(voxels.empty() ? 0.0 : 1.0);
  }
  return present;
}

Outcome train_with(const Candidate& candidate, const train::Volume& volume,
                   const train::FeatureTable& features, const train::Schedule& schedule) {
  train::Loss loss(candidate.name, candidate.terms,
                   train::describe_sample(volume.tree.classes(), {schedule.batch_voxels}),
                   schedule.threads);
  loss.use_tree(volume.tree, annotated_classes(volume));
  train::Network network({features.features, schedule.hidden_units, volume.tree.classes()},
                         schedule.seed);
  const double seconds = train::train_network(network, volume, features, schedule, loss);
  std::vector<std::uint8_t> prediction =
      train::predict(network, features, volume.voxels(), schedule.threads);
  const train::Scores scores = train::score(prediction, volume);
  return {candidate.name, scores, seconds, loss.seconds(), std::move(prediction)};
}

void describe(const train::Volume& volume) {
  std::size_t annotated = 0;
  for (const std::uint8_t label : volume.annotation) annotated += label != train::kIgnoreLabel;
  const std::vector<double> present = annotated_classes(volume);
  std::printf("%s: %zu x %zu x %zu voxels, %.1f %% annotated; %zu classes, %zu annotated\n",
              volume.title.c_str(), volume.extent[0], volume.extent[1], volume.extent[2],
              100.0 * static_cast<double>(annotated) / static_cast<double>(volume.voxels()),
              volume.tree.classes(),
              static_cast<std::size_t>(std::count(present.begin(), present.end(), 1.0)));
}

void print_table(const std::vector<Outcome>& outcomes) {
  std::printf("\n%-18s %9s %9s %15s %9s %9s\n", "loss", "leaf Dice", "top Dice",
              "error distance", "seconds", "in loss");
  for (const Outcome& row : outcomes) {
    std::printf("%-18s %9.3f %9.3f %15.2f %9.1f %7.1f %%\n", row.name.c_str(),
                row.scores.leaf_dice, row.scores.top_dice, row.scores.error_distance, row.seconds,
                100.0 * row.loss_seconds / row.seconds);
  }
}

void draw(const train::Volume& volume, const std::vector<Outcome>& outcomes,
          const std::string& path) {
  const train::Slice slice = train::most_telling_slice(volume);
  const std::vector<std::string> colours = train::class_colours(volume);
  train::SvgPicture picture(slice, volume.title + ": one small network, trained with four losses");
  picture.add(train::image_panel(slice, volume, colours));
  picture.add(train::label_panel(slice, volume.reference, colours, "reference", ""));
  for (const Outcome& outcome : outcomes) {
    char note[64];
    std::snprintf(note, sizeof note, "leaf Dice %.3f, top level %.3f", outcome.scores.leaf_dice,
                  outcome.scores.top_dice);
    picture.add(train::label_panel(slice, outcome.prediction, colours, outcome.name, note));
  }
  picture.add_legend(volume, colours);
  picture.save(path);
}

void run(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const train::Volume volume = load(options);
  describe(volume);
  const train::FeatureTable features = train::make_features(volume);
  train::Schedule schedule;
  schedule.steps = options.steps;
  schedule.threads = options.threads;
  schedule.seed = kSeed;
  std::vector<Outcome> outcomes;
  for (const Candidate& candidate : candidates()) {
    outcomes.push_back(train_with(candidate, volume, features, schedule));
  }
  print_table(outcomes);
  draw(volume, outcomes, options.picture);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::printf("\nslice drawn to %s, %.1f s in all\n", options.picture.c_str(), elapsed.count());
}

}  // namespace

int main(int count, char** arguments) {
  try {
    run(parse(count, arguments));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train: %s\n", error.what());
    return 1;
  }
  return 0;
}
