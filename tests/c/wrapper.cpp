// segloss.hpp: values of the C interface, errors that say everything, memory that is reused.

#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "wrapper.hpp"

#if __cplusplus >= 202002L
#include <span>
#endif

namespace {

constexpr std::size_t kClasses = 3;
// Several tasks.
constexpr std::size_t kVoxels = 40000;

struct Fixture {
  std::vector<float> scores = std::vector<float>(kClasses * kVoxels);
  std::vector<std::uint8_t> labels = std::vector<std::uint8_t>(kVoxels);
  std::vector<float> gradient = std::vector<float>(kClasses * kVoxels);
  segloss::loss loss{{segloss::dice(), 0.5 * segloss::cross_entropy()}};
  segloss::input input{kClasses, {kVoxels / 20, 20}};
  segloss::evaluator evaluator;

  Fixture() {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      scores[i] = std::sin(static_cast<float>(i) * 0.37f);
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
      labels[i] = static_cast<std::uint8_t>(i / 5 % kClasses);
    }
    input.scores(scores).labels(labels);
  }
};

void spans() {
  std::vector<double> vector{1, 2, 3};
  const std::array<double, 2> array{4, 5};
  double c_array[4] = {};
  const segloss::span<const double> of_vector = vector, of_array = array;
  segloss::span<double> of_c_array = c_array;
  CHECK(of_vector.size() == 3 && of_vector[2] == 3 && of_array.size() == 2);
  CHECK(of_c_array.end() - of_c_array.begin() == 4);
  CHECK((segloss::span<double>(vector.data(), 1).size() == 1));
  CHECK(segloss::span<double>().data() == nullptr);
  static_assert(!std::is_constructible_v<segloss::span<double>, const std::vector<double>&>);
  static_assert(!std::is_constructible_v<segloss::span<const float>, std::vector<double>&>);
  static_assert(!std::is_constructible_v<segloss::gradient, const std::vector<float>&>);
#if __cplusplus >= 202002L
  const segloss::span<const double> of_span = std::span<double>(vector);
  CHECK(of_span.size() == 3);
  std::vector<float> gradient(6);
  const segloss::gradient from_span = std::span<float>(gradient);
  CHECK(from_span.view().values.length == 6);
#endif
}

void value_and_gradient() {
  Fixture f;
  const segloss::evaluation value = f.evaluator.evaluate(f.loss, f.input);
  CHECK(value.term_count == 2 && value.counted_voxels == kVoxels);
  CHECK(std::abs(value.total - (value.terms[0] + 0.5 * value.terms[1])) < 1e-12);
  const segloss::evaluation both = f.evaluator.evaluate(f.loss, f.input, f.gradient);
  CHECK(both.total == value.total);

  // Moving against the gradient lowers the loss.
  std::vector<float> moved = f.scores;
  for (std::size_t i = 0; i < moved.size(); ++i) moved[i] -= 10.0f * f.gradient[i];
  segloss::input after = f.input;
  after.scores(moved);
  CHECK(f.evaluator.evaluate(f.loss, after).total < value.total);

  std::vector<float> twice = f.gradient;
  f.evaluator.evaluate(f.loss, f.input, segloss::gradient(twice).accumulating());
  CHECK(std::abs(twice[7] - 2 * f.gradient[7]) < 1e-9f);
  std::vector<float> scaled(f.scores.size());
  f.evaluator.evaluate(f.loss, f.input, segloss::gradient(scaled).scaled(4.0));
  CHECK(std::abs(scaled[7] - 4 * f.gradient[7]) < 1e-9f);

  // In place.
  std::vector<float> in_place = f.scores;
  f.evaluator.evaluate(f.loss, segloss::input(f.input).scores(in_place), in_place);
  CHECK(in_place == f.gradient);
}

void copies() {
  // A copy of a loss has its own terms.
  Fixture f;
  const double total = f.evaluator.evaluate(f.loss, f.input).total;
  segloss::loss copy = f.loss;
  f.loss = segloss::loss({segloss::focal()});
  CHECK(f.evaluator.evaluate(copy, f.input).total == total);
  const segloss::loss moved = std::move(copy);
  CHECK(f.evaluator.evaluate(moved, f.input).total == total);
  const segloss::loss preset(segloss::preset(SEGLOSS_PRESET_DICE_CROSS_ENTROPY));
  CHECK(preset.terms().size() == 2 && preset.terms()[0].kind == SEGLOSS_TERM_DICE);
}

void terms() {
  const segloss::term tversky = segloss::tversky(0.3, 0.7);
  CHECK(tversky.false_positive_weight == 0.3 && tversky.false_negative_weight == 0.7);
  CHECK(tversky.exponent == 1.0 && (2.0 * tversky).weight == 2.0);
  CHECK(segloss::jaccard().ratio == SEGLOSS_RATIO_JACCARD);
  CHECK(segloss::generalised_dice().weighting == SEGLOSS_WEIGHTING_INVERSE_SQUARE);
  CHECK(segloss::cross_entropy(0.1).label_smoothing == 0.1);
  CHECK(segloss::binary_cross_entropy().kind == SEGLOSS_TERM_BINARY_CROSS_ENTROPY);
  CHECK(segloss::focal(1.5).gamma == 1.5);
  CHECK(segloss::top_k_cross_entropy(0.2).fraction == 0.2);
  CHECK(segloss::wasserstein_dice(2).background == 2);
  CHECK(error_of([] { segloss::term(99); }).status() == SEGLOSS_STATUS_UNKNOWN_ENUMERATOR);

  Fixture f;
  const std::vector<double> weights{0, 1, 1};
  segloss::term dice = segloss::dice();
  dice.class_weights = segloss::list(weights);
  dice.pooling = SEGLOSS_POOLING_BATCH;
  const double total = f.evaluator.evaluate(segloss::loss({dice}), f.input).total;
  CHECK(total > 0 && total != f.evaluator.evaluate(f.loss, f.input).terms[0]);
}

void trees() {
  const segloss::tree tree({-1, 0, 1, 1, 0}, {2, 3, 4}, {0, 1, 2, 3, 4});
  CHECK(tree.nodes() == 5 && tree.classes() == 3);
  CHECK(tree.distance(0, 1) == 5 && tree.distances()[5] == 8);
  const std::vector<double> weights = tree.node_weights(SEGLOSS_NODE_WEIGHTS_UNIFORM);
  CHECK((weights == std::vector<double>{0, 0.5, 0.5, 0.5, 1.0}));
  CHECK((tree.level_weights({9, 1, 2}) == std::vector<double>{0, 1, 2, 2, 1}));

  Fixture f;
  segloss::loss loss({segloss::tree_cross_entropy(weights), segloss::tree_wasserstein()});
  const segloss::error missing = error_of([&] { f.evaluator.evaluate(loss, f.input); });
  CHECK(missing.status() == SEGLOSS_STATUS_TREE_MISSING);
  loss.with_tree(tree);
  CHECK(f.evaluator.evaluate(loss, f.input, f.gradient).total > 0);
  std::vector<std::int32_t> nodes(kVoxels, 1);
  const segloss::loss tree_only =
      segloss::loss({segloss::tree_cross_entropy(weights)}).with_tree(tree);
  f.input.nodes(nodes);
  CHECK(f.evaluator.evaluate(tree_only, f.input).total > 0);

  const segloss::error cycle = error_of([] { segloss::tree({-1, 2, 1, 0}, {3}); });
  CHECK(cycle.status() == SEGLOSS_STATUS_TREE_CYCLE && cycle.position() == 1);
  const segloss::error edges = error_of([] { segloss::tree({-1, 0, 0}, {1, 2}, {1.0, 1.0}); });
  CHECK(edges.status() == SEGLOSS_STATUS_LENGTH && edges.value() == 2 && edges.expected() == 3);
}

void errors() {
  Fixture f;
  f.labels[17] = 200;
  const segloss::error error =
      error_of([&] { f.evaluator.evaluate(f.loss, f.input, f.gradient); });
  CHECK(error.status() == SEGLOSS_STATUS_LABEL && error.argument() == SEGLOSS_ARGUMENT_TARGET);
  CHECK(error.position() == 17 && error.value() == 200 && error.expected() == 2);
  const std::string what = error.what();
  for (const char* part : {"label", "target", "17", "200", "2"}) {
    CHECK(what.find(part) != std::string::npos);
  }
  segloss::evaluation result{};
  segloss_detail detail{};
  CHECK(f.evaluator.try_evaluate(f.loss, f.input, nullptr, {}, result, detail) ==
        SEGLOSS_STATUS_LABEL);
  CHECK(detail.position == 17 && result.total == 0);
  f.input.ignore(200);
  const segloss::gradient derivative = f.gradient;
  CHECK(f.evaluator.try_evaluate(f.loss, f.input, &derivative, {}, result, detail) == SEGLOSS_OK);
  CHECK(result.counted_voxels == kVoxels - 1);

  const segloss::error axes = error_of([] { segloss::input(2, {1, 2, 3, 4}); });
  CHECK(axes.status() == SEGLOSS_STATUS_SHAPE && axes.value() == 4 && axes.expected() == 3);
  CHECK(error_of([] { segloss::preset(99); }).status() == SEGLOSS_STATUS_UNKNOWN_ENUMERATOR);
}

void inputs() {
  Fixture f;
  const double total = f.evaluator.evaluate(f.loss, f.input).total;
  // Types of scores and labels, layouts, dense targets, voxel weights.
  const std::vector<double> wide(f.scores.begin(), f.scores.end());
  const std::vector<long long> labels(f.labels.begin(), f.labels.end());
  f.input.scores(wide).labels(labels);
  CHECK(std::abs(f.evaluator.evaluate(f.loss, f.input).total - total) < 1e-6);
  std::vector<float> interleaved(f.scores.size()), dense(f.scores.size());
  for (std::size_t voxel = 0; voxel < kVoxels; ++voxel) {
    for (std::size_t c = 0; c < kClasses; ++c) {
      interleaved[voxel * kClasses + c] = f.scores[c * kVoxels + voxel];
      dense[voxel * kClasses + c] = f.labels[voxel] == c ? 1.0f : 0.0f;
    }
  }
  f.input.interleaved().scores(interleaved).labels(f.labels);
  CHECK(f.evaluator.evaluate(f.loss, f.input).total == total);
  f.input.dense(dense);
  CHECK(std::abs(f.evaluator.evaluate(f.loss, f.input).total - total) < 1e-6);
  const std::vector<std::uint8_t> mask(kVoxels, 0);
  f.input.labels(f.labels).voxel_weights(mask);
  CHECK(f.evaluator.evaluate(f.loss, f.input).counted_voxels == 0);
  const std::vector<segloss::bfloat16> half(kClasses);
  const segloss::input small = segloss::input(kClasses, {1}).scores(half).labels(f.labels);
  CHECK(small.view().scores.type == SEGLOSS_BF16 && small.view().scores.length == kClasses);
}

void executors() {
  Fixture f;
  const double total = f.evaluator.evaluate(f.loss, f.input, f.gradient).total;
  std::vector<float> other(f.gradient.size());
  int passes = 0;
  const segloss::executor backwards(3, [&](std::uint64_t tasks, const segloss::task& body) {
    ++passes;
    for (std::uint64_t index = tasks; index-- > 0;) body(index);
  });
  CHECK(f.evaluator.evaluate(f.loss, f.input, other, backwards).total == total);
  CHECK(passes == 2 && other == f.gradient);

  // What the executor throws arrives at the caller.
  const segloss::executor broken(1, [](std::uint64_t, const segloss::task&) {
    throw std::runtime_error("no threads left");
  });
  std::string what;
  try {
    f.evaluator.evaluate(f.loss, f.input, broken);
  } catch (const std::runtime_error& error) {
    what = error.what();
  }
  CHECK(what == "no threads left");
  segloss::evaluation result{};
  segloss_detail detail{};
  // Without exceptions the work is done on the calling thread.
  CHECK(f.evaluator.try_evaluate(f.loss, f.input, nullptr, broken, result, detail) == SEGLOSS_OK);
  CHECK(result.total == total);
#if defined(_OPENMP)
  CHECK(f.evaluator.evaluate(f.loss, f.input, other, segloss::openmp_executor(2)).total == total);
  CHECK(other == f.gradient);
#endif
}

void levels() {
  Fixture f;
  const double total = f.evaluator.evaluate(f.loss, f.input, f.gradient).total;
  for (std::uint32_t level = SEGLOSS_LEVEL_PLAIN; level <= SEGLOSS_LEVEL_AVX512; ++level) {
    std::vector<float> other(f.gradient.size());
    CHECK(f.evaluator.evaluate(f.loss.with_level(level), f.input, other).total == total);
    CHECK(f.loss.view().level == level && other == f.gradient);
  }
  const segloss::error unknown =
      error_of([&] { f.evaluator.evaluate(f.loss.with_level(99), f.input); });
  CHECK(unknown.status() == SEGLOSS_STATUS_UNKNOWN_ENUMERATOR);
}

void shards() {
  const std::size_t batch = 2;
  std::vector<float> scores(batch * kClasses * kVoxels), whole(scores.size()), parts(scores.size());
  std::vector<std::uint8_t> labels(batch * kVoxels);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i] = std::cos(static_cast<float>(i) * 0.21f);
  }
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = i % 7 == 0;
  Fixture f;
  segloss::input both(kClasses, {kVoxels}, batch);
  both.scores(scores).labels(labels);
  const segloss::evaluation evaluated = f.evaluator.evaluate(f.loss, both, whole);

  CHECK(segloss::evaluator::block_voxels(both) > 0);
  std::vector<double> sums = segloss::evaluator::zero_sums(f.loss, both, both.whole());
  for (int step = 0; step < 2; ++step) {
    for (std::size_t sample = 0; sample < batch; ++sample) {
      const std::size_t first = sample * kClasses * kVoxels;
      const segloss_part part{batch, sample, 0, 0};
      segloss::input one(kClasses, {kVoxels});
      one.scores(segloss::span(scores.data() + first, kClasses * kVoxels))
          .labels(segloss::span(labels.data() + sample * kVoxels, kVoxels));
      const segloss::span gradient(parts.data() + first, kClasses * kVoxels);
      if (step == 0) f.evaluator.accumulate(f.loss, one, part, sums);
      else f.evaluator.differentiate(f.loss, one, part, sums, gradient);
    }
  }
  CHECK(f.evaluator.finish(f.loss, both, both.whole(), sums).total == evaluated.total);
  CHECK(whole == parts);
  sums.pop_back();
  CHECK(error_of([&] { f.evaluator.accumulate(f.loss, both, both.whole(), sums); }).status() ==
        SEGLOSS_STATUS_LENGTH);
}

}  // namespace

int main() {
  return run_checks("wrapper", {spans, value_and_gradient, copies, terms, trees, errors, inputs,
                                executors, levels, shards});
}
