/* The caller's memory: scratch of every alignment, one byte short, overlaps, gradients in place. */
#include "support.h"

static void scratch_one_byte_short(void) {
  problem p;
  begin(&p);
  const double needed = (double)p.scratch.bytes;
  end(&p);
  REFUSED_AT(TASKS, SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH, 0, needed - 1, needed,
             p.scratch.bytes -= 1);
  REFUSED(DATA, SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH, p.scratch.bytes = 1);
  REFUSED(DATA, SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH,
          p.scratch = (segloss_scratch){NULL, 0});
  /* Scratch of a tree and of the loss together. */
  REFUSED(TASKS, SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH, p.loss.tree = small_tree();
          provide(&p); CHECK((double)p.scratch.bytes > needed); p.scratch.bytes -= 1);
}

/* The same bits wherever scratch begins, and no byte beside it is touched. */
static void misaligned_scratch(void) {
  problem p;
  begin(&p);
  CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK);
  const double total = p.result.total;
  float gradient[SCORES];
  memcpy(gradient, p.gradient_values, sizeof gradient);
  unsigned char *memory = malloc(p.scratch.bytes + 3 * GUARD);
  for (size_t offset = 0; offset < 64; ++offset) {
    memset(memory, SENTINEL, p.scratch.bytes + 3 * GUARD);
    p.scratch.data = memory + GUARD + offset;
    fill_outputs(&p);
    CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK);
    CHECK(p.result.total == total);
    CHECK(memcmp(gradient, p.gradient_values, sizeof gradient) == 0);
    CHECK(all_sentinel(memory, GUARD + offset));
    CHECK(all_sentinel(memory + GUARD + offset + p.scratch.bytes, 2 * GUARD - offset));
  }
  free(memory);
  end(&p);
}

/* Written memory that is also something else. */
static void overlaps(void) {
  const segloss_status overlap = SEGLOSS_STATUS_OVERLAP;
  const uint32_t gradient = SEGLOSS_ARGUMENT_GRADIENT;
  const int writers = EVALUATE | GRADIENT;
  REFUSED(writers, overlap, gradient, p.gradient.values.data = p.scores + 1);
  REFUSED(writers, overlap, gradient, p.gradient.values.data = p.scores - 1);
  REFUSED(writers, overlap, gradient, p.gradient.values.data = p.scores + SCORES - 1);
  REFUSED(writers, overlap, gradient, p.gradient.values.data = p.scores;
          p.gradient.mode = SEGLOSS_GRADIENT_ACCUMULATE);
  REFUSED(GRADIENT, overlap, gradient, p.gradient.values.data = p.scores);
  REFUSED(writers, overlap, gradient, p.input.target_kind = SEGLOSS_TARGET_DENSE;
          p.input.target = (segloss_array){p.gradient_values, SCORES, SEGLOSS_F32});
  REFUSED(writers, overlap, gradient,
          p.input.voxel_weights = (segloss_array){p.gradient_values, LABELS, SEGLOSS_F32});
  REFUSED(writers, overlap, gradient, p.gradient.values.data = p.scratch.data);
  REFUSED(DATA, overlap, SEGLOSS_ARGUMENT_SCORES, p.input.scores.data = p.scratch.data);
  REFUSED(DATA, overlap, SEGLOSS_ARGUMENT_SCORES,
          p.input.scores.data = (char *)p.scratch.data - sizeof(float) * (SCORES - 1));
  REFUSED(DATA, overlap, SEGLOSS_ARGUMENT_TARGET,
          p.input.target.data = (char *)p.scratch.data + p.scratch.bytes - 1);
  REFUSED(DATA, overlap, SEGLOSS_ARGUMENT_VOXEL_WEIGHTS,
          p.input.voxel_weights = (segloss_array){p.scratch.data, LABELS, SEGLOSS_F32});
}

/* Sums and results that lie in memory the call writes for itself, or in the gradient. */
static void overlapping_sums_and_results(void) {
  const segloss_status overlap = SEGLOSS_STATUS_OVERLAP;
  REFUSED(SUMS, overlap, SEGLOSS_ARGUMENT_SUMS,
          p.sums_argument = p.scratch.data);
  REFUSED(ACCUMULATE, overlap, SEGLOSS_ARGUMENT_SUMS,
          p.input.scores.data = p.sums);
  REFUSED(GRADIENT, overlap, SEGLOSS_ARGUMENT_GRADIENT, p.gradient.values.data = p.sums);
  REFUSED(EVALUATE | FINISH, overlap, SEGLOSS_ARGUMENT_RESULT,
          p.result_argument = p.scratch.data);
}

/* What is read only through a loss, and a result in the gradient. */
static void overlapping_lists(void) {
  const segloss_status overlap = SEGLOSS_STATUS_OVERLAP;
  const uint32_t gradient = SEGLOSS_ARGUMENT_GRADIENT;
  const int writers = EVALUATE | GRADIENT;
  /* Written memory with written memory. */
  REFUSED(EVALUATE, overlap, SEGLOSS_ARGUMENT_RESULT, p.gradient.values.data = &p.result);
  /* Lists of a term. */
  REFUSED(writers, overlap, gradient,
          p.terms[0].class_weights = (segloss_doubles){(double *)p.gradient_values, CLASSES});
  REFUSED(DATA, overlap, SEGLOSS_ARGUMENT_CLASS_WEIGHTS,
          p.terms[1].class_weights = (segloss_doubles){(double *)p.scratch.data, CLASSES});
  /* The terms themselves. */
  REFUSED(DATA, overlap, SEGLOSS_ARGUMENT_TERM, memcpy(p.scratch.data, p.terms, sizeof p.terms);
          p.loss.terms = p.scratch.data);
  /* The tree. */
  REFUSED(writers, overlap, gradient, p.loss.tree = small_tree(); provide(&p);
          p.loss.tree.parent = (int32_t *)p.gradient_values);
  REFUSED(writers, overlap, gradient, p.loss.tree = small_tree(); provide(&p);
          p.loss.tree.edge_weights = (double *)p.gradient_values);
  REFUSED(DATA, overlap, SEGLOSS_ARGUMENT_TREE_CLASS, p.loss.tree = small_tree(); provide(&p);
          p.loss.tree.leaf_of_class = p.scratch.data);
}

/* Overlap and neighbourhood to the element, in every type. */
static void overlaps_to_the_element(void) {
  const struct { uint32_t type; size_t bytes; } types[] = {
    {SEGLOSS_F32, 4}, {SEGLOSS_F64, 8}, {SEGLOSS_F16, 2}, {SEGLOSS_BF16, 2}};
  for (int t = 0; t < 4; ++t) {
    double memory[2 * SCORES] = {0};
    unsigned char *const bytes = (unsigned char *)memory;
    const size_t all = SCORES * types[t].bytes, one = types[t].bytes;
    for (int swapped = 0; swapped < 2; ++swapped) {
      REFUSED(EVALUATE | GRADIENT, SEGLOSS_STATUS_OVERLAP, SEGLOSS_ARGUMENT_GRADIENT,
              p.input.scores = (segloss_array){bytes + (swapped ? all - one : 0), SCORES,
                                               types[t].type};
              p.gradient.values = (segloss_array_mut){bytes + (swapped ? 0 : all - one), SCORES,
                                                      types[t].type};
              provide(&p));
      ACCEPTED(EVALUATE,
               p.input.scores = (segloss_array){bytes + (swapped ? all : 0), SCORES,
                                                types[t].type};
               p.gradient.values = (segloss_array_mut){bytes + (swapped ? 0 : all), SCORES,
                                                       types[t].type};
               provide(&p));
    }
  }
}

/* Buffers side by side do not overlap. */
static void neighbours(void) {
  float both[2 * SCORES];
  ACCEPTED(EVALUATE | GRADIENT, memcpy(both, p.scores, sizeof p.scores); p.input.scores.data = both;
           p.gradient.values.data = both + SCORES);
}

static void in_place_equals_separate(uint32_t type, size_t element, uint32_t layout) {
  problem p;
  begin(&p);
  uint64_t state = 3;
  unsigned char scores[SCORES * sizeof(double)], separate[sizeof scores];
  for (int i = 0; i < SCORES; ++i) {
    const double value = random_score(&state);
    const float single = (float)value;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    /* The upper half of a float is a bfloat16; as a float16 it is some other finite number. */
    const uint16_t half = (uint16_t)(bits >> 16) & 0xbfff;
    if (type == SEGLOSS_F64) memcpy(scores + (size_t)i * element, &value, element);
    else if (type == SEGLOSS_F32) memcpy(scores + (size_t)i * element, &single, element);
    else memcpy(scores + (size_t)i * element, &half, element);
  }
  double aligned_scores[SCORES], aligned_gradient[SCORES];
  memcpy(aligned_scores, scores, SCORES * element);
  p.input.shape.layout = layout;
  p.input.scores = (segloss_array){aligned_scores, SCORES, type};
  p.gradient.values = (segloss_array_mut){aligned_gradient, SCORES, type};
  provide(&p);
  CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK);
  memcpy(separate, aligned_gradient, SCORES * element);
  CHECK(memcmp(aligned_scores, scores, SCORES * element) == 0);
  const double total = p.result.total;
  p.gradient.values.data = aligned_scores;
  CHECK(call(&p, EVALUATE, NULL) == SEGLOSS_OK);
  CHECK(p.result.total == total);
  CHECK(memcmp(aligned_scores, separate, SCORES * element) == 0);
  end(&p);
}

int main(void) {
  scratch_one_byte_short();
  misaligned_scratch();
  overlaps();
  overlapping_sums_and_results();
  overlapping_lists();
  overlaps_to_the_element();
  neighbours();
  for (uint32_t layout = SEGLOSS_PLANAR; layout <= SEGLOSS_INTERLEAVED; ++layout) {
    in_place_equals_separate(SEGLOSS_F32, 4, layout);
    in_place_equals_separate(SEGLOSS_F64, 8, layout);
    in_place_equals_separate(SEGLOSS_F16, 2, layout);
    in_place_equals_separate(SEGLOSS_BF16, 2, layout);
  }
  return finish_checks("memory");
}
