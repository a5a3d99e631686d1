// segloss for C++17: the C interface of segloss.h without pointers, sizes and status codes.
//
//   std::vector<float> scores = ...;            // [class][z][y][x], logits
//   std::vector<std::uint8_t> labels = ...;     // [z][y][x]
//   std::vector<float> gradient(scores.size());
//
//   segloss::loss loss({segloss::dice(), 0.5 * segloss::cross_entropy()});
//   segloss::input input(5, {64, 128, 128});    // 5 classes, z, y, x
//   input.scores(scores).labels(labels);
//
//   segloss::evaluator evaluator;               // keeps its scratch memory between calls
//   const double value = evaluator.evaluate(loss, input, gradient).total;
//
// and metrics of label maps:
//
//   segloss::label_pair pair(5, {64, 128, 128}, {3, 0.5, 0.5});     // 5 classes, spacing in mm
//   pair.prediction(found).reference(labels);
//   segloss::surface_metrics metrics({95}, {1, 2});                 // percentile, tolerances
//   const segloss::surfaces surfaces = metrics.evaluate(pair);
//   const double hd95 = surfaces.percentiles(1)[0], dice_2_mm = surfaces.shares(1)[1].surface_dice;
//
// Options are members of the C struct: auto term = segloss::dice(); term.pooling = ...;
// Scores, labels, gradients, fields and the lists of a term are borrowed: they must outlive their
// use. A refusal throws segloss::error; the functions named try_... return a status instead.
// Whatever is missing here can be called in C on what view() returns.
#pragma once

#include "segloss/core.hpp"
#include "segloss/distance.hpp"
#include "segloss/evaluator.hpp"
#include "segloss/loss.hpp"
#include "segloss/metrics.hpp"
#include "segloss/surfaces.hpp"
#include "segloss/tree.hpp"
