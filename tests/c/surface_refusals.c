/* Every refusal of a call on surfaces names its argument and writes nothing. */
#include "surfaces.h"

static void pointers(void) {
  const segloss_status null = SEGLOSS_STATUS_NULL_POINTER, misaligned = SEGLOSS_STATUS_MISALIGNED;
  const uint32_t options = SEGLOSS_ARGUMENT_TERM, result = SEGLOSS_ARGUMENT_RESULT;
  const uint32_t prediction = SEGLOSS_ARGUMENT_PREDICTION, reference = SEGLOSS_ARGUMENT_REFERENCE;
  const uint32_t percentiles = SEGLOSS_ARGUMENT_PERCENTILES;
  const uint32_t tolerances = SEGLOSS_ARGUMENT_TOLERANCES;
  REFUSED_SURFACE(BOTH, null, options, p->options_argument = NULL);
  REFUSED_SURFACE(BOTH, null, percentiles, p->options.percentiles.data = NULL);
  REFUSED_SURFACE(BOTH, null, tolerances, p->options.tolerances.data = NULL);
  REFUSED_SURFACE(BOTH, null, prediction, p->pair_argument = NULL);
  REFUSED_SURFACE(SURFACES, null, prediction, p->pair.prediction.data = NULL);
  REFUSED_SURFACE(SURFACES, null, reference, p->pair.reference.data = NULL);
  REFUSED_SURFACE(SURFACES, null, result, p->results = NULL);
  REFUSED_SURFACE(SURFACES, null, percentiles, p->percentiles = NULL);
  REFUSED_SURFACE(SURFACES, null, tolerances, p->shares = NULL);
  REFUSED_SURFACE(SURFACES, null, SEGLOSS_ARGUMENT_SCRATCH, p->scratch.data = NULL);
  REFUSED_SURFACE(SURFACES, null, SEGLOSS_ARGUMENT_EXECUTOR, p->executor.workers = 1;
                  p->executor_argument = &p->executor);
  REFUSED_SURFACE(SURFACE_SIZE, null, result, p->bytes_argument = NULL);
  CHECK(segloss_surface_options_init(NULL, sizeof(segloss_surface_options)) == null);

  REFUSED_SURFACE_AT(SURFACES, misaligned, reference, 0, 0, 2,
                     p->pair.reference.data = (const char *)p->reference + 1);
  REFUSED_SURFACE_AT(SURFACES, misaligned, result, 0, 0, 8,
                     p->results = (void *)((char *)p->out.results + 4));
  REFUSED_SURFACE_AT(SURFACES, misaligned, percentiles, 0, 0, 8,
                     p->percentiles = (void *)((char *)p->out.percentiles + 4));
  REFUSED_SURFACE_AT(SURFACES, misaligned, tolerances, 0, 0, 8,
                     p->shares = (void *)((char *)p->out.shares + 4));
  REFUSED_SURFACE_AT(BOTH, misaligned, percentiles, 0, 0, 8,
                     p->options.percentiles.data =
                         (const void *)((const char *)p->percentile_list + 4));
  REFUSED_SURFACE_AT(BOTH, misaligned, tolerances, 0, 0, 8,
                     p->options.tolerances.data =
                         (const void *)((const char *)p->tolerance_list + 4));
}

static void struct_sizes(void) {
  const segloss_status size = SEGLOSS_STATUS_STRUCT_SIZE;
  const double options = sizeof(segloss_surface_options), pair = sizeof(segloss_label_pair);
  segloss_surface_options room;
  memset(&room, SENTINEL, sizeof room);
  for (int wrong = -1; wrong <= 1; wrong += 2) {
    CHECK(segloss_surface_options_init(&room, sizeof room + (size_t)wrong) == size);
  }
  CHECK(all_sentinel(&room, sizeof room));
  REFUSED_SURFACE_AT(BOTH, size, SEGLOSS_ARGUMENT_TERM, 0, 0, options, p->options.size = 0);
  REFUSED_SURFACE_AT(BOTH, size, SEGLOSS_ARGUMENT_TERM, 0, options - 1, options,
                     p->options.size -= 1);
  REFUSED_SURFACE_AT(BOTH, size, SEGLOSS_ARGUMENT_PREDICTION, 0, 0, pair, p->pair.size = 0);
  REFUSED_SURFACE_AT(BOTH, size, SEGLOSS_ARGUMENT_PREDICTION, 0, pair - 1, pair,
                     p->pair.size -= 1);
}

static void options(void) {
  const segloss_status unknown = SEGLOSS_STATUS_UNKNOWN_ENUMERATOR, option = SEGLOSS_STATUS_OPTION;
  const uint32_t percentiles = SEGLOSS_ARGUMENT_PERCENTILES;
  const uint32_t tolerances = SEGLOSS_ARGUMENT_TOLERANCES;
  const uint32_t values[] = {10, 77, UINT32_MAX};
  for (int v = 0; v < 3; ++v) {
    const uint32_t value = values[v];
    REFUSED_SURFACE_AT(BOTH, unknown, SEGLOSS_ARGUMENT_TERM, 0, value, 0,
                       p->options.model = value);
    REFUSED_SURFACE_AT(BOTH, unknown, percentiles, 0, value, 0, p->options.convention = value);
    REFUSED_SURFACE_AT(BOTH, unknown, SEGLOSS_ARGUMENT_TERM, 0, value, 0,
                       p->options.level = value);
    REFUSED_SURFACE_AT(SURFACES, unknown, SEGLOSS_ARGUMENT_PREDICTION, 0, value, 0,
                       p->pair.prediction.type = value);
    REFUSED_SURFACE_AT(SURFACES, unknown, SEGLOSS_ARGUMENT_REFERENCE, 0, value, 0,
                       p->pair.reference.type = value);
  }
  REFUSED_SURFACE_AT(SURFACES, unknown, SEGLOSS_ARGUMENT_PREDICTION, 0, SEGLOSS_F32, 0,
                     p->pair.prediction.type = SEGLOSS_F32);
  const double bad[] = {-1.0, NAN, INFINITY, -INFINITY};
  for (int i = 0; i < 4; ++i) {
    REFUSED_SURFACE_AT(SURFACES, option, percentiles, 1, bad[i], 0, p->percentile_list[1] = bad[i]);
    REFUSED_SURFACE_AT(SURFACES, option, tolerances, 2, bad[i], 0, p->tolerance_list[2] = bad[i]);
  }
  REFUSED_SURFACE_AT(SURFACES, option, percentiles, 0, 100.5, 0, p->percentile_list[0] = 100.5);
  REFUSED_SURFACE_AT(SURFACES, option, tolerances, 0, 1.1e18, 0, p->tolerance_list[0] = 1.1e18);
  /* Surfels have weights, and there are none along one axis. */
  for (uint32_t c = SEGLOSS_PERCENTILE_MAXIMUM_OF_DIRECTED; c <= SEGLOSS_PERCENTILE_POOLED; ++c) {
    REFUSED_SURFACE(SURFACES, option, percentiles, p->options.model = SEGLOSS_SURFACE_SURFEL;
                    p->options.convention = c; provide_surface_scratch(p); own = p->scratch);
  }
  REFUSED_SURFACE_AT(SURFACES, SEGLOSS_STATUS_SHAPE, SEGLOSS_ARGUMENT_SHAPE, 0, 1, 2,
                     p->options.model = SEGLOSS_SURFACE_SURFEL;
                     p->options.convention = SEGLOSS_PERCENTILE_AREA_WEIGHTED; p->pair.axes = 1;
                     p->pair.extent[0] = PLACES);
}

static void sizes(void) {
  const segloss_status shape = SEGLOSS_STATUS_SHAPE, length = SEGLOSS_STATUS_LENGTH;
  const segloss_status spacing = SEGLOSS_STATUS_SPACING;
  REFUSED_SURFACE_AT(BOTH, shape, SEGLOSS_ARGUMENT_SHAPE, 2, 4, 3, p->pair.axes = 4);
  REFUSED_SURFACE(BOTH, shape, SEGLOSS_ARGUMENT_SHAPE, p->pair.extent[1] = 0);
  REFUSED_SURFACE(BOTH, shape, SEGLOSS_ARGUMENT_SHAPE, p->pair.classes = 0);
  REFUSED_SURFACE(BOTH, SEGLOSS_STATUS_SHAPE_OVERFLOW, SEGLOSS_ARGUMENT_SHAPE,
                  p->pair.extent[0] = UINT64_MAX);
  const double bad[] = {0.0, -1.0, 9e-7, 1.1e6, NAN, INFINITY};
  for (int i = 0; i < 6; ++i) {
    REFUSED_SURFACE_AT(SURFACES, spacing, SEGLOSS_ARGUMENT_SPACING, 1, bad[i], 0,
                       p->pair.spacing[1] = bad[i]);
  }
  for (int wrong = -1; wrong <= 1; wrong += 2) {
    const uint64_t by = (uint64_t)wrong;
    REFUSED_SURFACE_AT(SURFACES, length, SEGLOSS_ARGUMENT_PREDICTION, 0, PLACES + wrong, PLACES,
                       p->pair.prediction.length += by);
    REFUSED_SURFACE_AT(SURFACES, length, SEGLOSS_ARGUMENT_REFERENCE, 0, PLACES + wrong, PLACES,
                       p->pair.reference.length += by);
    REFUSED_SURFACE_AT(SURFACES, length, SEGLOSS_ARGUMENT_RESULT, 0, CLASSES + wrong, CLASSES,
                       p->results_length += by);
    REFUSED_SURFACE_AT(SURFACES, length, SEGLOSS_ARGUMENT_PERCENTILES, 0,
                       CLASSES * PERCENTILES + wrong, CLASSES * PERCENTILES,
                       p->percentiles_length += by);
    REFUSED_SURFACE_AT(SURFACES, length, SEGLOSS_ARGUMENT_TOLERANCES, 0,
                       CLASSES * TOLERANCES + wrong, CLASSES * TOLERANCES, p->shares_length += by);
  }
  REFUSED_SURFACE_AT(SURFACES, SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH, 0,
                     (double)p->scratch.bytes, (double)own.bytes, p->scratch.bytes -= 1);
  REFUSED_SURFACE(SURFACES, SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH,
                  p->scratch = (segloss_scratch){NULL, 0});
}

static void data(void) {
  const segloss_status label = SEGLOSS_STATUS_LABEL;
  REFUSED_SURFACE_AT(SURFACES, label, SEGLOSS_ARGUMENT_PREDICTION, 4, 3, CLASSES - 1,
                     p->prediction[4] = 3);
  REFUSED_SURFACE_AT(SURFACES, label, SEGLOSS_ARGUMENT_REFERENCE, PLACES - 1, -2, CLASSES - 1,
                     p->reference[PLACES - 1] = -2);
}

/* Outputs that lie in what a call reads, in scratch, or in one another. */
static void overlaps(void) {
  const segloss_status overlap = SEGLOSS_STATUS_OVERLAP;
  const uint32_t result = SEGLOSS_ARGUMENT_RESULT, options = SEGLOSS_ARGUMENT_TERM;
  const uint32_t percentiles = SEGLOSS_ARGUMENT_PERCENTILES;
  const uint32_t tolerances = SEGLOSS_ARGUMENT_TOLERANCES;
  REFUSED_SURFACE(SURFACES, overlap, result, p->percentiles = (double *)p->out.results + 1);
  REFUSED_SURFACE(SURFACES, overlap, result, p->shares = (void *)p->out.results);
  REFUSED_SURFACE(SURFACES, overlap, percentiles, p->shares = (void *)p->out.percentiles);
  REFUSED_SURFACE(SURFACES, overlap, result, p->results = p->scratch.data);
  REFUSED_SURFACE(SURFACES, overlap, percentiles, p->percentiles = p->scratch.data);
  REFUSED_SURFACE(SURFACES, overlap, tolerances, p->shares = p->scratch.data);
  REFUSED_SURFACE(SURFACES, overlap, result, p->results = (void *)&p->options);
  REFUSED_SURFACE(SURFACES, overlap, result, p->results = (void *)&p->pair);
  REFUSED_SURFACE(SURFACES, overlap, result, p->pair.prediction.data = p->out.results);
  REFUSED_SURFACE(SURFACES, overlap, result, p->pair.reference.data = p->out.results);
  REFUSED_SURFACE(SURFACES, overlap, result, p->executor_argument = (void *)p->out.results);
  REFUSED_SURFACE(SURFACES, overlap, percentiles, p->percentiles = p->percentile_list);
  REFUSED_SURFACE(SURFACES, overlap, tolerances, p->shares = (void *)p->tolerance_list);
  REFUSED_SURFACE(SURFACES, overlap, options, p->scratch.data = &p->options;
                  p->scratch.bytes = 8);
  REFUSED_SURFACE(SURFACES, overlap, SEGLOSS_ARGUMENT_PREDICTION,
                  p->pair.prediction.data = p->scratch.data);
  REFUSED_SURFACE(SURFACES, overlap, SEGLOSS_ARGUMENT_REFERENCE,
                  p->pair.reference.data = p->scratch.data);
  REFUSED_SURFACE(SURFACES, overlap, tolerances, p->options.tolerances.data = p->scratch.data);
}

int main(void) {
  pointers();
  struct_sizes();
  options();
  sizes();
  data();
  overlaps();
  return finish_checks("surface_refusals");
}
