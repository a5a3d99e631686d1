/* Terms on distance fields: presets, fields that are handed in, and where fields lie. */
#include "support.h"

enum { MOST_TERMS = 3 };

static const double step = 0.75;

/* A problem with the terms of a preset, or of a kind where the preset is 0. */
typedef struct fields_problem {
  problem p;
  segloss_term terms[MOST_TERMS];
  float target_field[SCORES];
  double gap;
  float prediction_field[SCORES];
} fields_problem;

static const uint32_t presets[] = {
    SEGLOSS_PRESET_HAUSDORFF_DT, SEGLOSS_PRESET_DICE_FOCAL_HAUSDORFF_DT,
    SEGLOSS_PRESET_DICE_FOCAL_HAUSDORFF_DT_AS_MONAI, SEGLOSS_PRESET_TVERSKY_HAUSDORFF_DT};
static const uint64_t preset_lengths[] = {1, 3, 3, 2};
enum { PRESETS = sizeof presets / sizeof *presets };

static void begin_fields(fields_problem *f, uint32_t preset) {
  begin(&f->p);
  memset(f->terms, SENTINEL, sizeof f->terms);
  f->p.loss.terms = f->terms;
  CHECK(segloss_preset(preset, f->terms, sizeof *f->terms, MOST_TERMS, &f->p.loss.term_count) ==
        SEGLOSS_OK);
  segloss_term *const last = &f->terms[f->p.loss.term_count - 1];
  CHECK(last->kind == SEGLOSS_TERM_HAUSDORFF_DT);
  for (int axis = 0; axis < 3; ++axis) CHECK(last->spacing[axis] == 0.0);
  last->spacing[0] = step;
  provide(&f->p);
}

static void begin_boundary(fields_problem *f) {
  begin_fields(f, SEGLOSS_PRESET_TVERSKY_HAUSDORFF_DT);
  CHECK(segloss_term_init(f->terms, sizeof *f->terms, SEGLOSS_TERM_BOUNDARY) == SEGLOSS_OK);
  f->terms[0].spacing[0] = step;
  f->terms[0].include_background = 1;
  provide(&f->p);
}

/* Probability of a class at a voxel of a sample. */
static double probability(const problem *p, int sample, int class, int voxel) {
  double sum = 0.0;
  const float *scores = p->scores + sample * CLASSES * VOXELS + voxel;
  for (int c = 0; c < CLASSES; ++c) sum += exp(scores[c * VOXELS]);
  return exp(scores[class * VOXELS]) / sum;
}

/* Whether a voxel is in the mask of a class: of the prediction, or of the target. */
static int in_mask(const problem *p, int target, int sample, int class, int voxel) {
  return target ? p->labels[sample * VOXELS + voxel] == class
                : probability(p, sample, class, voxel) > 0.5;
}

/* Signed distance of a mask along one axis; 0 if there is but one phase. */
static double signed_distance(const problem *p, int target, int sample, int class, int voxel) {
  const int inside = in_mask(p, target, sample, class, voxel);
  double nearest = INFINITY;
  for (int other = 0; other < VOXELS; ++other) {
    if (in_mask(p, target, sample, class, other) != inside) {
      nearest = fmin(nearest, abs(other - voxel) * step);
    }
  }
  if (isinf(nearest)) return 0.0;
  return inside ? -nearest : nearest;
}

static void fill_given(fields_problem *f) {
  uint64_t bytes = 0;
  const double spacing[3] = {step, 0, 0};
  CHECK(segloss_target_fields_scratch_size(&f->p.input, spacing, 1, &bytes, NULL) == SEGLOSS_OK);
  const segloss_scratch scratch = {malloc(bytes), bytes};
  CHECK(segloss_target_fields(&f->p.input, spacing, f->target_field, SCORES, scratch, NULL, NULL)
        == SEGLOSS_OK);
  segloss_distance distance;
  CHECK(segloss_distance_init(&distance, sizeof distance) == SEGLOSS_OK);
  distance.axes = 1;
  distance.extent[0] = VOXELS;
  distance.spacing[0] = step;
  distance.squared = 1;
  CHECK(segloss_distance_scratch_size(&distance, 1, &bytes, NULL) == SEGLOSS_OK);
  CHECK(bytes <= scratch.bytes);
  for (int row = 0; row < BATCH * CLASSES; ++row) {
    uint8_t bytes_of_mask[VOXELS];
    for (int v = 0; v < VOXELS; ++v) {
      bytes_of_mask[v] = (uint8_t)in_mask(&f->p, 0, row / CLASSES, row % CLASSES, v);
    }
    const segloss_mask mask = {SEGLOSS_MASK_BYTES, 0, {bytes_of_mask, VOXELS, SEGLOSS_U8}, 0};
    const segloss_array_mut field = {f->prediction_field + row * VOXELS, VOXELS, SEGLOSS_F32};
    CHECK(segloss_distance_transform(&distance, &mask, field, scratch, NULL, NULL) == SEGLOSS_OK);
  }
  free(scratch.data);
}

/* Mean over classes and voxels of what terms are made of. */
static void values(void) {
  fields_problem f;
  begin_fields(&f, SEGLOSS_PRESET_HAUSDORFF_DT);
  for (int background = 0; background <= 1; ++background) {
    for (uint32_t sides = SEGLOSS_HAUSDORFF_BOTH_SIDES; sides <= SEGLOSS_HAUSDORFF_TARGET_SIDE;
         ++sides) {
      double hausdorff = 0.0, boundary = 0.0;
      for (int i = 0; i < BATCH * CLASSES * VOXELS; ++i) {
        const int sample = i / (CLASSES * VOXELS), class = i / VOXELS % CLASSES, v = i % VOXELS;
        if (class == 0 && !background) continue;
        const double there = signed_distance(&f.p, 1, sample, class, v);
        const double own =
            sides == SEGLOSS_HAUSDORFF_BOTH_SIDES ? signed_distance(&f.p, 0, sample, class, v) : 0;
        const double chance = probability(&f.p, sample, class, v);
        const double error = chance - in_mask(&f.p, 1, sample, class, v);
        hausdorff += error * error * (there * there + own * own);
        boundary += chance * there;
      }
      const double counted = LABELS * (CLASSES - !background);
      f.terms[0].sides = sides;
      f.terms[0].include_background = (uint32_t)background;
      for (uint32_t logarithm = 0; logarithm <= 1; ++logarithm) {
        f.terms[0].logarithm = logarithm;
        provide(&f.p);
        CHECK(call(&f.p, EVALUATE, NULL) == SEGLOSS_OK);
        const double mean = hausdorff / counted, wanted = logarithm ? log1p(mean) : mean;
        CHECK(fabs(f.p.result.total - wanted) < 1e-6 * wanted);
      }
      const segloss_term term = f.terms[0];
      CHECK(segloss_term_init(f.terms, sizeof term, SEGLOSS_TERM_BOUNDARY) == SEGLOSS_OK);
      f.terms[0].spacing[0] = step;
      f.terms[0].include_background = (uint32_t)background;
      provide(&f.p);
      CHECK(call(&f.p, EVALUATE, NULL) == SEGLOSS_OK);
      CHECK(fabs(f.p.result.total - boundary / counted) < 1e-6);
      f.terms[0] = term;
    }
  }
  end(&f.p);
}

/* A preset has no spacing of its own. */
static void spacings(void) {
  const segloss_status spacing = SEGLOSS_STATUS_SPACING;
  const uint32_t argument = SEGLOSS_ARGUMENT_SPACING;
  const int calls = SIZE | EVALUATE | LENGTH | SUMS;
  for (int i = 0; i < PRESETS; ++i) {
    fields_problem f;
    begin_fields(&f, presets[i]);
    CHECK(f.p.loss.term_count == preset_lengths[i]);
    segloss_term *const last = &f.terms[preset_lengths[i] - 1];
    CHECK(call(&f.p, EVALUATE, NULL) == SEGLOSS_OK && isfinite(f.p.result.total));
    double total = 0.0;
    for (uint64_t t = 0; t < f.p.loss.term_count; ++t) {
      total += f.terms[t].weight * f.p.result.terms[t];
    }
    CHECK(fabs(total - f.p.result.total) < 1e-12);
    const double bad[] = {0.0, -1.0, NAN, INFINITY};
    for (int b = 0; b < 4; ++b) {
      last->spacing[0] = bad[b];
      fill_outputs(&f.p);
      check_refused(__FILE__, __LINE__, &f.p, calls, (refusal){spacing, argument, 0, 0, 0, 0});
    }
    last->spacing[0] = last->spacing[1] = step;
    check_refused(__FILE__, __LINE__, &f.p, calls, (refusal){spacing, argument, 1, 0, 2, 1});
    end(&f.p);
  }
  REFUSED(LOSS, spacing, argument, set_kind(&p, SEGLOSS_TERM_BOUNDARY));
}

static void options(void) {
  const segloss_status option = SEGLOSS_STATUS_OPTION, length = SEGLOSS_STATUS_LENGTH;
  const uint32_t at_term = SEGLOSS_ARGUMENT_TERM, weights = SEGLOSS_ARGUMENT_CLASS_WEIGHTS;
  const double bad[] = {0.0, -1.0, 8.5, NAN, INFINITY};
  for (int i = 0; i < 5; ++i) {
    REFUSED_AT(LOSS, option, at_term, 0, bad[i], 0, set_kind(&p, SEGLOSS_TERM_HAUSDORFF_DT);
               p.terms[0].spacing[0] = step; p.terms[0].exponent = bad[i]);
    REFUSED_AT(LOSS, option, at_term, 0, bad[i], 0, set_kind(&p, SEGLOSS_TERM_HAUSDORFF_DT);
               p.terms[0].spacing[0] = step; p.terms[0].threshold = bad[i]);
  }
  const double list[] = {1, -1, 1};
  for (uint32_t kind = SEGLOSS_TERM_HAUSDORFF_DT; kind <= SEGLOSS_TERM_BOUNDARY; ++kind) {
    REFUSED_AT(LOSS, option, weights, 1, -1, 0, set_kind(&p, kind); p.terms[0].spacing[0] = step;
               p.terms[0].class_weights = (segloss_doubles){list, CLASSES});
    REFUSED_AT(LOSS, length, weights, 0, 1, CLASSES, set_kind(&p, kind);
               p.terms[0].spacing[0] = step; p.terms[0].class_weights = (segloss_doubles){list, 1});
    REFUSED(LOSS, SEGLOSS_STATUS_TARGET_KIND, at_term, set_kind(&p, kind);
            p.terms[0].spacing[0] = step; p.loss.tree = small_tree();
            p.input.target_kind = SEGLOSS_TARGET_NODES);
  }
}

/* The same total and the same terms. */
static int same_values(const segloss_evaluation *a, const segloss_evaluation *b) {
  return memcmp(&a->total, &b->total, sizeof a->total) == 0 && a->term_count == b->term_count &&
         memcmp(a->terms, b->terms, a->term_count * sizeof *a->terms) == 0 &&
         a->counted_voxels == b->counted_voxels;
}

/* A way to evaluate, with given fields or without, must give these bits. */
static void check_same(fields_problem *f, const segloss_evaluation *result,
                       const float *gradient) {
  provide(&f->p);
  CHECK(call(&f->p, EVALUATE, NULL) == SEGLOSS_OK);
  CHECK(same_values(&f->p.result, result));
  CHECK(memcmp(f->p.gradient_values, gradient, sizeof f->p.gradient_values) == 0);
  f->p.gradient_argument = NULL;
  provide(&f->p);
  CHECK(call(&f->p, EVALUATE, NULL) == SEGLOSS_OK);
  CHECK(same_values(&f->p.result, result));
  CHECK(all_sentinel(f->p.gradient_values, sizeof f->p.gradient_values));
  f->p.gradient_argument = &f->p.gradient;
}

/* Accumulating and in place work; the gradient buffer has no room for fields then. */
static void check_elsewhere(fields_problem *f, const segloss_evaluation *result,
                            const float *gradient) {
  problem *const p = &f->p;
  provide(p);
  for (int i = 0; i < SCORES; ++i) p->gradient_values[i] = 0.25f;
  p->gradient.mode = SEGLOSS_GRADIENT_ACCUMULATE;
  CHECK(call(p, EVALUATE, NULL) == SEGLOSS_OK && same_values(&p->result, result));
  for (int i = 0; i < SCORES; ++i) CHECK(p->gradient_values[i] == 0.25f + gradient[i]);
  p->gradient.mode = SEGLOSS_GRADIENT_OVERWRITE;
  float scores[SCORES];
  memcpy(scores, p->scores, sizeof scores);
  p->gradient.values.data = p->scores;
  CHECK(call(p, EVALUATE, NULL) == SEGLOSS_OK && same_values(&p->result, result));
  CHECK(memcmp(p->scores, gradient, sizeof scores) == 0);
  memcpy(p->scores, scores, sizeof scores);
  p->gradient.values.data = p->gradient_values;
}

/* Without a place for fields these are refused, and nothing is written. */
static void check_no_place(fields_problem *f) {
  problem *const p = &f->p;
  const refusal want = {SEGLOSS_STATUS_FIELD_STORAGE, SEGLOSS_ARGUMENT_GRADIENT, 0, 0, 0, 0};
  provide(p);
  p->gradient.mode = SEGLOSS_GRADIENT_ACCUMULATE;
  check_refused(__FILE__, __LINE__, p, EVALUATE, want);
  p->gradient.mode = SEGLOSS_GRADIENT_OVERWRITE;
  float scores[SCORES];
  memcpy(scores, p->scores, sizeof scores);
  p->gradient.values.data = p->scores;
  check_refused(__FILE__, __LINE__, p, EVALUATE, want);
  CHECK(memcmp(p->scores, scores, sizeof scores) == 0);
  p->gradient.values.data = p->gradient_values;
  check_refused(__FILE__, __LINE__, p, LENGTH | SUMS,
                (refusal){SEGLOSS_STATUS_NOT_SHARDABLE, SEGLOSS_ARGUMENT_TERM, 0, 0, 0, 0});
}

/* Parts that add up to the whole. */
static void check_sharded(fields_problem *f, const segloss_evaluation *result,
                          const float *gradient) {
  problem *const p = &f->p;
  provide(p);
  memset(p->sums, 0, p->sums_length * sizeof *p->sums);
  CHECK(call(p, ACCUMULATE, NULL) == SEGLOSS_OK && call(p, FINISH, NULL) == SEGLOSS_OK);
  CHECK(same_values(&p->result, result));
  CHECK(call(p, GRADIENT, NULL) == SEGLOSS_OK);
  CHECK(memcmp(p->gradient_values, gradient, sizeof p->gradient_values) == 0);
}

static void check_places(fields_problem *f) {
  problem *const p = &f->p;
  CHECK(call(p, EVALUATE, NULL) == SEGLOSS_OK);
  const segloss_evaluation result = p->result;
  float gradient[SCORES];
  memcpy(gradient, p->gradient_values, sizeof gradient);
  fill_given(f);
  for (int given = 0; given < 4; ++given) {
    p->input.target_field = given & 1 ? f->target_field : NULL;
    p->input.prediction_field = given & 2 ? f->prediction_field : NULL;
    for (p->loss.fields_in_scratch = 0; p->loss.fields_in_scratch <= 1;
         ++p->loss.fields_in_scratch) {
      check_same(f, &result, gradient);
      if (given == 3 || p->loss.fields_in_scratch) check_elsewhere(f, &result, gradient);
      else check_no_place(f);
      if (given == 3) check_sharded(f, &result, gradient);
    }
  }
  p->loss.fields_in_scratch = 0;
}

static void places(void) {
  fields_problem f;
  for (int i = 0; i < PRESETS; ++i) {
    begin_fields(&f, presets[i]);
    check_places(&f);
    end(&f.p);
  }
  begin_boundary(&f);
  check_places(&f);
  end(&f.p);
}

/* A gradient in half precision has no room for fields, so scratch has it unasked. */
static void half_precision(void) {
  static const uint16_t scores[SCORES];
  uint16_t gradient[SCORES];
  for (uint32_t type = SEGLOSS_F16; type <= SEGLOSS_BF16; ++type) {
    for (uint32_t mode = SEGLOSS_GRADIENT_OVERWRITE; mode <= SEGLOSS_GRADIENT_ACCUMULATE; ++mode) {
      fields_problem f;
      begin_fields(&f, SEGLOSS_PRESET_HAUSDORFF_DT);
      memset(gradient, 0, sizeof gradient);
      f.p.input.scores = (segloss_array){scores, SCORES, type};
      f.p.gradient.values = (segloss_array_mut){gradient, SCORES, type};
      f.p.gradient.mode = mode;
      provide(&f.p);
      CHECK(call(&f.p, EVALUATE, NULL) == SEGLOSS_OK && f.p.result.total > 0);
      CHECK(gradient[SCORES - 1] != 0);
      end(&f.p);
    }
  }
}

/* Fields that lie where something is written, and scratch that is a byte short. */
static void memory(void) {
  fields_problem f;
  problem *const p = &f.p;
  for (uint32_t in_scratch = 0; in_scratch <= 1; ++in_scratch) {
    begin_fields(&f, SEGLOSS_PRESET_TVERSKY_HAUSDORFF_DT);
    p->loss.fields_in_scratch = in_scratch;
    provide(p);
    p->scratch.bytes -= 1;
    check_refused(__FILE__, __LINE__, p, EVALUATE,
                  (refusal){SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH, 1, 0,
                            (double)p->scratch.bytes, (double)p->scratch.bytes + 1});
    end(p);
  }
  const segloss_status overlap = SEGLOSS_STATUS_OVERLAP, misaligned = SEGLOSS_STATUS_MISALIGNED;
  const uint32_t field = SEGLOSS_ARGUMENT_FIELD;
  for (int which = 0; which < 2; ++which) {
    begin_fields(&f, SEGLOSS_PRESET_HAUSDORFF_DT);
    fill_given(&f);
    p->input.target_field = f.target_field;
    p->input.prediction_field = f.prediction_field;
    provide(p);
    const float **const given = which ? &p->input.prediction_field : &p->input.target_field;
    *given = p->gradient_values;
    check_refused(__FILE__, __LINE__, p, EVALUATE | GRADIENT,
                  (refusal){overlap, SEGLOSS_ARGUMENT_GRADIENT, 0, 0, 0, 0});
    *given = (const float *)(const void *)p->sums;
    check_refused(__FILE__, __LINE__, p, ACCUMULATE,
                  (refusal){overlap, SEGLOSS_ARGUMENT_SUMS, 0, 0, 0, 0});
    *given = p->scratch.data;
    check_refused(__FILE__, __LINE__, p, DATA, (refusal){overlap, field, 0, 0, 0, 0});
    *given = (const float *)(const void *)((const char *)f.target_field + 2);
    check_refused(__FILE__, __LINE__, p, DATA, (refusal){misaligned, field, 1, 0, 0, 4});
    end(p);
  }
}

int main(void) {
  values();
  spacings();
  options();
  places();
  half_precision();
  memory();
  return finish_checks("hausdorff");
}
