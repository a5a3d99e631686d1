// segloss.hpp: distances, losses on them, and metrics.

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "wrapper.hpp"

#if __cplusplus >= 202002L
#include <span>
#endif

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Tasks in the opposite order, on as many workers as one likes.
segloss::executor backwards() {
  return {3, [](std::uint64_t tasks, const segloss::task& body) {
            for (std::uint64_t index = tasks; index-- > 0;) body(index);
          }};
}

// A plane of several tasks.
constexpr std::size_t kManyRows = 128, kManyPlaces = 1024;

segloss::executor broken() {
  return {1, [](std::uint64_t, const segloss::task&) {
            throw std::runtime_error("no threads left");
          }};
}

template <class Call>
std::string thrown_by(const Call& call) {
  try {
    call();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

void sizes() {
  const std::vector<std::size_t> along{4, 5};
  const segloss::extent extent = along;
  CHECK(extent.axes() == 2 && extent.voxels() == 20);
  const std::vector<double> steps{2, 0.5};
  const segloss::spacing spacing = steps;
  CHECK(spacing.axes() == 2 && spacing.data()[1] == 0.5 && spacing.data()[2] == 0);
  const segloss::error axes = error_of([] { segloss::extent({1, 2, 3, 4}); });
  CHECK(axes.status() == SEGLOSS_STATUS_SHAPE && axes.value() == 4 && axes.expected() == 3);
  for (const std::vector<double>& bad : {std::vector<double>{}, std::vector<double>(4, 1.0)}) {
    const segloss::error error = error_of([&] { segloss::spacing{bad}; });
    CHECK(error.status() == SEGLOSS_STATUS_SPACING && error.value() == double(bad.size()));
  }
  const segloss::error zero = error_of([] { segloss::spacing({1, 0, 1}); });
  CHECK(zero.status() == SEGLOSS_STATUS_SPACING && zero.position() == 1);
  CHECK(zero.argument() == SEGLOSS_ARGUMENT_SPACING);
}

void transforms() {
  const std::vector<std::uint8_t> bytes{0, 1, 1, 1, 0, 0};
  const std::vector<std::uint8_t> bits{0b1110};
  const std::vector<std::int32_t> labels{0, -5, -5, -5, 7, 7};
  const std::vector<float> expected{0.5f, -0.5f, -1.0f, -0.5f, 0.5f, 1.0f};
  segloss::distance_transform transform({6}, {0.5});
  for (const segloss::mask& mask :
       {segloss::mask::bytes(bytes), segloss::mask::bits(bits), segloss::mask::label(labels, -5)}) {
    std::vector<float> field(6);
    transform.evaluate(mask, field);
    CHECK(field == expected);
    transform.evaluate(mask, field, backwards());
    CHECK(field == expected);
  }
  segloss::distance_transform plain({6}, {0.5});
  std::vector<float> of_plain(6);
  plain.level(SEGLOSS_LEVEL_PLAIN).evaluate(segloss::mask::bytes(bytes), of_plain);
  CHECK(plain.view().level == SEGLOSS_LEVEL_PLAIN && of_plain == expected);
  std::vector<segloss::float16> half(6);
  transform.evaluate(segloss::mask::bytes(bytes), half);
  CHECK(half[0].bits == 0x3800 && half[2].bits == 0xbc00);
  CHECK(transform.view().field_type == SEGLOSS_F16);
  std::vector<float> field(6);
#if __cplusplus >= 202002L
  transform.evaluate(segloss::mask::bytes(bytes), std::span<float>(field));
  CHECK(field == expected);
#endif
  segloss::distance_transform inside({2, 3}, {1, 0.5});
  inside.side(SEGLOSS_SIDE_INSIDE).squared().evaluate(segloss::mask::bytes(bytes), field);
  CHECK((field == std::vector<float>{0, 0.25f, 1, 0.25f, 0, 0}));

  // What is refused, and what an executor throws.
  const segloss::error axes = error_of([] { segloss::distance_transform({2, 3}, {1, 1, 1}); });
  CHECK(axes.status() == SEGLOSS_STATUS_SPACING && axes.value() == 3 && axes.expected() == 2);
  std::vector<float> shorter(5, 9.0f);
  const segloss::error length =
      error_of([&] { transform.evaluate(segloss::mask::bytes(bytes), shorter); });
  CHECK(length.status() == SEGLOSS_STATUS_LENGTH && length.argument() == SEGLOSS_ARGUMENT_FIELD);
  segloss_detail detail{};
  CHECK(transform.try_evaluate(segloss::mask::bytes(bytes), shorter, {}, detail) ==
        SEGLOSS_STATUS_LENGTH);
  CHECK(detail.expected == 6 && shorter == std::vector<float>(5, 9.0f));
  CHECK(transform.try_evaluate(segloss::mask::bytes(bytes), field, {}, detail) == SEGLOSS_OK);
  CHECK(field == expected);
  const std::vector<std::uint8_t> many(kManyRows * kManyPlaces, 1);
  std::vector<float> large_field(many.size());
  segloss::distance_transform large({kManyRows, kManyPlaces}, {1, 1});
  CHECK(thrown_by([&] { large.evaluate(segloss::mask::bytes(many), large_field, broken()); }) ==
        "no threads left");
  // There is a single task.
  transform.evaluate(segloss::mask::bytes(bytes), field, broken());
  CHECK(field == expected);
}

constexpr std::size_t kClasses = 3;
constexpr std::size_t kVoxels = 6 * 7;

struct Fixture {
  std::vector<float> scores = std::vector<float>(kClasses * kVoxels);
  std::vector<std::uint8_t> labels = std::vector<std::uint8_t>(kVoxels);
  std::vector<float> gradient = std::vector<float>(kClasses * kVoxels);
  segloss::input input{kClasses, {6, 7}};
  segloss::evaluator evaluator;

  Fixture() {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      scores[i] = 3 * std::sin(static_cast<float>(i) * 0.37f);
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
      labels[i] = static_cast<std::uint8_t>(i / 5 % kClasses);
    }
    input.scores(scores).labels(labels);
  }
};

void distance_losses() {
  Fixture f;
  const segloss::spacing spacing{2, 0.5};
  const segloss::loss unset(segloss::preset(SEGLOSS_PRESET_TVERSKY_HAUSDORFF_DT));
  CHECK(error_of([&] { f.evaluator.evaluate(unset, f.input); }).status() ==
        SEGLOSS_STATUS_SPACING);
  for (std::uint32_t preset = SEGLOSS_PRESET_HAUSDORFF_DT;
       preset <= SEGLOSS_PRESET_TVERSKY_HAUSDORFF_DT; ++preset) {
    const segloss::loss loss(segloss::preset(preset, spacing));
    CHECK(f.evaluator.evaluate(loss, f.input).total > 0);
  }
  const segloss::loss boundary({segloss::boundary(spacing)});
  CHECK(std::isfinite(f.evaluator.evaluate(boundary, f.input).total));
  CHECK(segloss::hausdorff_dt(spacing, 1.5).exponent == 1.5);
  CHECK(segloss::hausdorff_dt(spacing).exponent == 2.0);

  segloss::loss loss({segloss::dice(), 0.1 * segloss::hausdorff_dt(spacing)});
  const double total = f.evaluator.evaluate(loss, f.input, f.gradient).total;
  CHECK(f.evaluator.evaluate(loss, f.input).total == total);

  // Fields that are handed in.
  const std::vector<float> target = f.evaluator.target_fields(f.input, spacing);
  CHECK(target == f.evaluator.target_fields(f.input, spacing, backwards()));
  segloss::distance_transform transform({6, 7}, spacing);
  std::vector<float> prediction(target.size());
  for (std::size_t c = 0; c < kClasses; ++c) {
    std::vector<std::uint8_t> mask(kVoxels);
    for (std::size_t voxel = 0; voxel < kVoxels; ++voxel) {
      double sum = 0;
      for (std::size_t k = 0; k < kClasses; ++k) sum += std::exp(f.scores[k * kVoxels + voxel]);
      mask[voxel] = std::exp(f.scores[c * kVoxels + voxel]) / sum > 0.5;
    }
    const segloss::span field(prediction.data() + c * kVoxels, kVoxels);
    transform.squared().evaluate(segloss::mask::bytes(mask), field);
  }
  std::vector<float> other(f.gradient.size());
  f.input.target_field(target);
  CHECK(f.evaluator.evaluate(loss, f.input, other).total == total && other == f.gradient);
  f.input.prediction_field(prediction);
  CHECK(f.evaluator.evaluate(loss, f.input, other).total == total && other == f.gradient);
  std::vector<double> sums = segloss::evaluator::zero_sums(loss, f.input, f.input.whole());
  f.evaluator.accumulate(loss, f.input, f.input.whole(), sums);
  CHECK(f.evaluator.finish(loss, f.input, f.input.whole(), sums).total == total);
  f.input.target_field({}).prediction_field({});
  CHECK(error_of([&] { segloss::evaluator::zero_sums(loss, f.input, f.input.whole()); }).status() ==
        SEGLOSS_STATUS_NOT_SHARDABLE);
  const segloss::error length =
      error_of([&] { f.input.target_field(segloss::span(target.data(), 5)); });
  CHECK(length.status() == SEGLOSS_STATUS_LENGTH && length.expected() == target.size());

  // Gradients that leave no room for fields.
  std::vector<float> in_place = f.scores;
  segloss::input over = f.input;
  over.scores(in_place);
  CHECK(error_of([&] { f.evaluator.evaluate(loss, over, in_place); }).status() ==
        SEGLOSS_STATUS_FIELD_STORAGE);
  CHECK(in_place == f.scores);
  loss.with_fields_in_scratch();
  CHECK(f.evaluator.evaluate(loss, over, in_place).total == total && in_place == f.gradient);

  std::vector<float> fields(target.size() - 1);
  CHECK(error_of([&] { f.evaluator.target_fields(f.input, spacing, fields); }).status() ==
        SEGLOSS_STATUS_LENGTH);
  CHECK(error_of([&] { f.evaluator.target_fields(f.input, {1, 1, 1}); }).status() ==
        SEGLOSS_STATUS_SPACING);
}

// The maps of the counts, 2 x 4 voxels; 7 is ignored.
const std::vector<std::uint8_t> kPrediction{0, 1, 1, 2, 2, 0, 7, 0};
const std::vector<std::int16_t> kReference{0, 1, 2, 2, 2, 7, 1, 0};

segloss::label_pair small_pair() {
  segloss::label_pair pair(kClasses, {2, 4}, {3, 0.5});
  pair.prediction(kPrediction).reference(kReference).ignore(7);
  return pair;
}

void overlap() {
  const segloss::label_pair pair = small_pair();
  const std::vector<segloss::overlap_counts> counts = segloss::count_overlap(pair);
  CHECK(counts.size() == kClasses && counts[1].true_positive == 1 && counts[1].false_negative == 1);
  CHECK(counts[2].true_positive == 2 && counts[2].false_negative == 1);
  CHECK(segloss::score(counts[2], SEGLOSS_METRIC_DICE) == 0.8);
  CHECK(std::abs(segloss::score(counts[2], SEGLOSS_METRIC_F_BETA, 0, 2) - 10.0 / 14) < 1e-15);
  CHECK(std::isnan(segloss::score({0, 0, 0, 8}, SEGLOSS_METRIC_DICE)));
  CHECK(segloss::score({0, 0, 0, 8}, SEGLOSS_METRIC_DICE, 1.0) == 1.0);
  const std::vector<std::uint8_t> weights{5, 1, 0, 1, 1, 1, 1, 1};
  CHECK(segloss::count_overlap(pair, weights)[0].true_positive == 6);
  CHECK(error_of([&] { segloss::score(counts[0], 99); }).status() ==
        SEGLOSS_STATUS_UNKNOWN_ENUMERATOR);
  segloss::label_pair narrow(2, {2, 4}, {3, 0.5});
  narrow.prediction(kPrediction).reference(kReference).ignore(7);
  const segloss::error label = error_of([&] { segloss::count_overlap(narrow); });
  CHECK(label.status() == SEGLOSS_STATUS_LABEL && label.value() == 2);
  CHECK(error_of([] { segloss::label_pair(2, {2, 4}, {1}); }).status() == SEGLOSS_STATUS_SPACING);
}

// Node 1 is above classes 0 and 1.
void trees() {
  const segloss::tree tree({-1, 0, 1, 1, 0}, {2, 3, 4}, {0, 1, 2, 3, 4});
  const segloss::tree_overlap found = segloss::count_tree_overlap(small_pair(), tree);
  CHECK(found.nodes.size() == 5 && found.nodes[1].true_positive == 3);
  CHECK(found.distances.counted_voxels == 7);
  CHECK(found.mean_distance() == 12.0 / 7 && found.mean_ancestor_depth() == 8.0 / 7);
  const std::vector<std::int32_t> collapsed = segloss::collapse_labels(tree, 1, kReference, 7);
  CHECK((collapsed == std::vector<std::int32_t>{1, 1, 4, 4, 4, 7, 1, 1}));
  CHECK(error_of([&] { segloss::collapse_labels(tree, 1, kReference); }).status() ==
        SEGLOSS_STATUS_LABEL);

  // Voxel i has score i at class i % 3, and 0 elsewhere.
  std::vector<double> scores(8 * kClasses);
  for (std::size_t i = 0; i < 8; ++i) scores[i * kClasses + i % kClasses] = static_cast<double>(i);
  segloss::input input(kClasses, {8});
  input.interleaved().scores(scores);
  const std::vector<float> map =
      segloss::confidence_map(input, SEGLOSS_CONFIDENCE_MAXIMUM_PROBABILITY, 2.0);
  CHECK(map.size() == 8 && std::abs(map[4] - std::exp(2.0) / (std::exp(2.0) + 2)) < 1e-6);
  const std::vector<std::int32_t> labels =
      segloss::label_confident(input, SEGLOSS_CONFIDENCE_MAXIMUM_PROBABILITY, 0.9, -1);
  CHECK((labels == std::vector<std::int32_t>{-1, -1, -1, 0, 1, 2, 0, 1}));
  const std::vector<std::int32_t> nodes = segloss::label_confident(input, tree, 0.75);
  CHECK((nodes == std::vector<std::int32_t>{0, 1, 4, 2, 3, 4, 2, 3}));
  CHECK(error_of([&] { segloss::confidence_map(input, 99); }).status() ==
        SEGLOSS_STATUS_UNKNOWN_ENUMERATOR);
  CHECK(error_of([&] { segloss::label_confident(input, tree, 1.5); }).status() ==
        SEGLOSS_STATUS_OPTION);
}

void surface_metrics() {
  // Class 1 lies one voxel further in the prediction, class 2 is missing there.
  const std::vector<std::uint8_t> prediction{0, 0, 1, 1, 0, 0}, reference{0, 1, 1, 0, 0, 2};
  segloss::label_pair pair(kClasses, {6}, {0.5});
  pair.prediction(prediction).reference(reference);
  segloss::surface_metrics metrics({50, 95}, {0, 0.5, 1});
  const segloss::surfaces found = metrics.evaluate(pair);
  CHECK(found.classes.size() == kClasses);
  CHECK(found.classes[0].state == SEGLOSS_CLASS_NOT_EVALUATED);
  CHECK(found.classes[1].state == SEGLOSS_CLASS_BOTH_PRESENT && found.classes[1].hausdorff == 0.5);
  CHECK(found.classes[2].state == SEGLOSS_CLASS_PREDICTION_EMPTY);
  CHECK(found.classes[2].hausdorff == kInfinity);
  CHECK(found.percentiles(1).size() == 2 && found.percentiles(1)[0] == 0.25);
  CHECK(found.percentiles(2)[1] == kInfinity && found.shares(1).size() == 3);
  CHECK(found.shares(1)[0].surface_dice == 0.5 && found.shares(1)[1].surface_dice == 1);
  CHECK(metrics.evaluate(pair, backwards()).classes[1].masd == found.classes[1].masd);

  metrics.options.distance_one_empty = 3;
  metrics.percentiles.clear();
  segloss::surfaces again;
  segloss_detail detail{};
  CHECK(metrics.try_evaluate(pair, {}, again, detail) == SEGLOSS_OK);
  CHECK(again.classes[2].hausdorff == 3 && again.percentiles(1).size() == 0);
  pair.ignore(2);
  CHECK(metrics.try_evaluate(pair, {}, again, detail) == SEGLOSS_OK);
  CHECK(again.classes[2].state == SEGLOSS_CLASS_BOTH_EMPTY && std::isnan(again.classes[2].assd));
  metrics.tolerances[1] = -1;
  CHECK(metrics.try_evaluate(pair, {}, again, detail) == SEGLOSS_STATUS_OPTION);
  CHECK(detail.argument == SEGLOSS_ARGUMENT_TOLERANCES && detail.position == 1);
  CHECK(error_of([&] { metrics.evaluate(pair); }).position() == 1);
  metrics.tolerances.clear();
  const std::vector<std::uint8_t> many(kManyRows * kManyPlaces, 1);
  segloss::label_pair large(kClasses, {kManyRows, kManyPlaces}, {1, 1});
  large.prediction(many).reference(many);
  CHECK(thrown_by([&] { metrics.evaluate(large, broken()); }) == "no threads left");

  // Surfels of single pixels, three columns apart.
  const std::vector<std::uint8_t> here{1, 0, 0, 0}, there{0, 0, 0, 1};
  segloss::label_pair pixels(2, {1, 4}, {3, 0.5});
  pixels.prediction(here).reference(there);
  segloss::surface_metrics surfels({50}, {1}, SEGLOSS_SURFACE_SURFEL);
  const segloss::surfaces areas = surfels.evaluate(pixels);
  CHECK(std::abs(areas.classes[1].prediction_surface - 2 * std::hypot(3, 0.5)) < 1e-12);
  CHECK(areas.classes[1].hausdorff == 1.5 && areas.percentiles(1)[0] == 1);
  CHECK(areas.shares(1)[0].surface_dice == 0.5);
}

}  // namespace

int main() {
  return run_checks("wrapper_metrics",
                    {sizes, transforms, distance_losses, overlap, trees, surface_metrics});
}
