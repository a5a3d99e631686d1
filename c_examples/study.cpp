// Trains the same small network on small, scattered lesions with six losses of segloss, and prints
// the table of arXiv 2502.09148. See --help.
//
// The terms on distance fields first empty the prediction: a background voxel called lesion weighs
// its squared distance, the lesions themselves hardly anything. Together with a region term the
// lesions come back after some epochs, so the rule that stops training must be patient. HausdorffDT
// alone has nothing to bring them back: where almost no voxel is called lesion, softmax passes on
// almost none of what gradient there is. The table says so; nothing here is tuned to hide it. One
// network and one test scan: see with --seed how far numbers move that mean nothing.

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "segloss.h"
#include "study_data.hpp"
#include "study_metrics.hpp"
#include "study_scan.hpp"
#include "study_training.hpp"
#include "train_loop.hpp"
#include "train_loss.hpp"
#include "train_network.hpp"

namespace {

constexpr const char* kHelp =
    "usage: study [options]\n"
    "  --data DIR      the real lesions of ms_lesion_p09_ref in DIR (its .json and .raw.gz; needs\n"
    "                  the program gzip) with a synthesised image, instead of the phantom\n"
    "  --tolerance MM  tolerance of the surface Dice (default 1)\n"
    "  --epochs N      most epochs per loss (default 80)\n"
    "  --seed N        another phantom, noise and network (default 20250209)\n"
    "  --threads N     threads (default: one per core); results do not depend on it, times do\n"
    "  --quick         a few seconds: few epochs, for tests\n";

struct Options {
  std::string data;
  double tolerance_mm = 1.0;
  std::size_t threads = train::default_threads();
  std::uint64_t seed = 20250209;
  study::Rule rule;
};

double positive(const std::string& option, const std::string& value) {
  char* end = nullptr;
  const double number = std::strtod(value.c_str(), &end);
  const bool valid = *end == '\0' && number > 0.0;
  if (!valid) throw std::runtime_error(option + " needs a positive number");
  return number;
}

std::size_t positive_integer(const std::string& option, const std::string& value) {
  const double number = positive(option, value);
  if (number != std::floor(number) || number > 1e9) {
    throw std::runtime_error(option + " needs a positive integer");
  }
  return static_cast<std::size_t>(number);
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
      options.rule.most_epochs = 12;
      continue;
    }
    if (i + 1 == count) throw std::runtime_error("unknown option or missing value: " + option);
    const std::string value = arguments[++i];
    if (option == "--data") options.data = value;
    else if (option == "--tolerance") options.tolerance_mm = positive(option, value);
    else if (option == "--epochs") options.rule.most_epochs = positive_integer(option, value);
    else if (option == "--seed") options.seed = positive_integer(option, value);
    else if (option == "--threads") options.threads = positive_integer(option, value);
    else throw std::runtime_error("unknown option: " + option);
  }
  return options;
}

struct Candidate {
  const char* name;
  std::vector<segloss_term> terms;
};

std::vector<Candidate> candidates() {
  using train::preset_terms;
  return {{"Dice", train::single_term(SEGLOSS_TERM_DICE)},
          {"Dice-Focal", preset_terms(SEGLOSS_PRESET_DICE_FOCAL)},
          {"Tversky", preset_terms(SEGLOSS_PRESET_TVERSKY)},
          {"HausdorffDT", preset_terms(SEGLOSS_PRESET_HAUSDORFF_DT)},
          {"Dice-Focal-HausdorffDT", preset_terms(SEGLOSS_PRESET_DICE_FOCAL_HAUSDORFF_DT)},
          {"Tversky-HausdorffDT", preset_terms(SEGLOSS_PRESET_TVERSKY_HAUSDORFF_DT)}};
}

// Region terms count the lesions alone, as distance terms do by themselves: the background, 99 % of
// the volume, is right almost whatever one predicts.
std::vector<segloss_term> with_options(std::vector<segloss_term> terms,
                                       const study::Spacing& spacing) {
  static constexpr double kLesionsAlone[] = {0.0, 1.0};
  for (segloss_term& term : terms) {
    if (term.kind == SEGLOSS_TERM_DICE || term.kind == SEGLOSS_TERM_TVERSKY) {
      term.class_weights = {kLesionsAlone, 2};
    } else if (term.kind == SEGLOSS_TERM_HAUSDORFF_DT) {
      for (std::size_t a = 0; a < 3; ++a) term.spacing[a] = spacing[a];
    }
  }
  return terms;
}

void describe(const char* role, const study::Scan& scan) {
  const auto voxels = static_cast<double>(scan.voxels());
  std::printf("  %-10s %zu x %zu x %zu voxels of %g x %g x %g mm, %.2f %% lesions\n", role,
              scan.extent[0], scan.extent[1], scan.extent[2], scan.spacing[0], scan.spacing[1],
              scan.spacing[2], 100.0 * static_cast<double>(scan.lesion_voxels()) / voxels);
}

void describe(const study::Scans& scans) {
  std::printf("%s\n", scans.title.c_str());
  for (const study::Scan& scan : scans.training) describe("training", scan);
  describe("validation", scans.validation);
  describe("test", scans.test);
  std::printf("%s\n", scans.split.c_str());
}

std::vector<study::Prepared> prepare(const std::vector<study::Scan>& scans, std::size_t threads) {
  std::vector<study::Prepared> prepared;
  std::chrono::duration<double> field_seconds{};
  for (const study::Scan& scan : scans) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<float> field = study::target_field(scan, threads);
    field_seconds += std::chrono::steady_clock::now() - start;
    prepared.push_back({&scan, study::make_features(scan), std::move(field)});
  }
  std::printf("distance fields of the labels: %.1f ms, once for all losses and epochs\n\n",
              1e3 * field_seconds.count());
  return prepared;
}

struct Row {
  const char* name;
  study::Trained trained;
  study::Judgement judgement;
};

std::string in_words(const Row& row) {
  std::string words;
  if (row.judgement.state == SEGLOSS_CLASS_PREDICTION_EMPTY) words += "  test prediction empty";
  if (row.trained.empty_at_end) {
    words += "  prediction empty when training ended (kept: epoch " +
             std::to_string(row.trained.best_epoch) + ')';
  }
  return words;
}

void print_table(const std::vector<Row>& rows, const Options& options) {
  std::printf("\nDice, MSD, NSD: of the test scan, with the weights of the best validation Dice\n"
              "MSD: mean of the two directed mean distances between boundary voxels (MASD)\n"
              "NSD: share of both boundaries within %g mm of the other\n"
              "epochs: until validation Dice had not risen for %zu; +: until all %zu were over\n"
              "empty: epochs in which no voxel of the validation scan was called a lesion\n\n",
              options.tolerance_mm, options.rule.patience, options.rule.most_epochs);
  std::printf("%-22s %7s %8s %7s %7s %7s %8s %9s\n", "loss", "Dice", "MSD mm", "NSD", "epochs",
              "empty", "seconds", "in loss");
  for (const Row& row : rows) {
    const bool measured = row.judgement.state == SEGLOSS_CLASS_BOTH_PRESENT;
    const study::Trained& trained = row.trained;
    std::printf("%-22s %7.3f ", row.name, row.judgement.dice);
    if (measured) std::printf("%8.2f %7.3f", row.judgement.masd_mm, row.judgement.surface_dice);
    else std::printf("%8s %7s", "-", "-");
    std::printf(" %6zu%s %7zu %8.1f %7.1f %%%s\n", trained.epochs, trained.stopped ? " " : "+",
                trained.empty_epochs, trained.seconds,
                100.0 * trained.loss_seconds / trained.seconds, in_words(row).c_str());
  }
}

void run(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const study::Scans scans = options.data.empty() ? study::phantom_scans(options.seed)
                                                  : study::real_scans(options.data, options.seed);
  describe(scans);
  const std::vector<study::Prepared> training = prepare(scans.training, options.threads);
  const train::FeatureTable validation_features = study::make_features(scans.validation);
  const train::FeatureTable test_features = study::make_features(scans.test);
  train::Schedule schedule;
  schedule.batch_voxels = scans.training[0].voxels();
  schedule.hidden_units = 16;
  schedule.threads = options.threads;
  schedule.seed = options.seed;
  study::Trainer trainer(training, scans.validation, validation_features, schedule, options.rule);
  std::vector<Row> rows;
  for (const Candidate& candidate : candidates()) {
    train::Loss loss(candidate.name, with_options(candidate.terms, scans.test.spacing),
                     study::describe(scans.training[0]), options.threads);
    train::Network network({test_features.features, schedule.hidden_units, 2}, schedule.seed);
    study::Trained trained = trainer.train(network, loss);
    network.weights() = trained.weights;
    const std::vector<std::uint8_t> prediction =
        train::predict(network, test_features, scans.test.voxels(), options.threads);
    rows.push_back({candidate.name, std::move(trained),
                    study::judge(prediction, scans.test, options.tolerance_mm, options.threads)});
  }
  print_table(rows, options);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::printf("\n%.1f s in all\n", elapsed.count());
}

}  // namespace

int main(int count, char** arguments) {
  try {
    run(parse(count, arguments));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "study: %s\n", error.what());
    return 1;
  }
  return 0;
}
