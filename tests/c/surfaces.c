/* Surface metrics of shapes by hand, and of random maps against a search through all pairs. */
#include "surfaces.h"

static int is_near(double found, double wanted) {
  return same_number(found, wanted) || fabs(found - wanted) <= 1e-6 * fabs(wanted);
}

static int shares_are(const segloss_tolerance_shares *found, double dice, double prediction,
                      double reference) {
  return is_near(found->surface_dice, dice) && is_near(found->prediction_overlap, prediction) &&
         is_near(found->reference_overlap, reference);
}

/* All distances of a class. */
static int distances_are(const segloss_surface_result *found, double value) {
  return same_number(found->hausdorff, value) && same_number(found->assd, value) &&
         same_number(found->masd, value) && same_number(found->directed_maximum[0], value) &&
         same_number(found->directed_maximum[1], value) &&
         same_number(found->directed_mean[0], value) && same_number(found->directed_mean[1], value);
}

/* Squares that lie one column, 0.5, apart: two of four voxels have the other's beside them. */
static void voxels(void) {
  surface_problem s, *const p = &s;
  begin_surfaces(p);
  CHECK(call_surface(p, SURFACES, NULL) == SEGLOSS_OK);
  const segloss_surface_result *const square = &p->out.results[1];
  CHECK(square->state == SEGLOSS_CLASS_BOTH_PRESENT);
  CHECK(square->prediction_voxels == 4 && square->reference_voxels == 4);
  CHECK(square->common_voxels == 2);
  CHECK(square->prediction_surface == 4 && square->reference_surface == 4);
  CHECK(square->hausdorff == 0.5 && square->directed_maximum[1] == 0.5);
  CHECK(square->directed_mean[0] == 0.25 && square->directed_mean[1] == 0.25);
  CHECK(square->assd == 0.25 && square->masd == 0.25);
  CHECK(p->out.percentiles[PERCENTILES] == 0.25 && p->out.percentiles[PERCENTILES + 1] == 0.5);
  CHECK(shares_are(&p->out.shares[TOLERANCES], 0.5, 0.5, 0.5));
  CHECK(shares_are(&p->out.shares[TOLERANCES + 1], 1, 1, 1));

  /* The class that the prediction lacks, and the background, which is left out. */
  const segloss_surface_result *const missed = &p->out.results[2], *const first = p->out.results;
  CHECK(missed->state == SEGLOSS_CLASS_PREDICTION_EMPTY && distances_are(missed, INFINITY));
  CHECK(missed->reference_voxels == 1 && missed->reference_surface == 1);
  CHECK(missed->prediction_voxels == 0 && missed->prediction_surface == 0);
  CHECK(isinf(p->out.percentiles[2 * PERCENTILES + 1]));
  CHECK(shares_are(&p->out.shares[2 * TOLERANCES], 0, 0, 0));
  CHECK(first->state == SEGLOSS_CLASS_NOT_EVALUATED && distances_are(first, NAN));
  CHECK(isnan(p->out.percentiles[0]) && shares_are(p->out.shares, NAN, NAN, NAN));
  CHECK(all_sentinel(p->out.results + CLASSES, sizeof *p->out.results));
  CHECK(all_sentinel(p->out.percentiles + CLASSES * PERCENTILES, sizeof *p->out.percentiles));
  CHECK(all_sentinel(p->out.shares + CLASSES * TOLERANCES, sizeof *p->out.shares));

  /* The other states, with values of the caller. */
  memset(p->reference, 0, sizeof p->reference);
  p->options.include_background = 1;
  p->options.distance_one_empty = 11;
  p->options.share_one_empty = 0.25;
  p->options.distance_both_empty = 0;
  p->options.share_both_empty = 1;
  CHECK(call_surface(p, SURFACES, NULL) == SEGLOSS_OK);
  CHECK(first->state == SEGLOSS_CLASS_BOTH_PRESENT && first->hausdorff > 0);
  CHECK(square->state == SEGLOSS_CLASS_REFERENCE_EMPTY && distances_are(square, 11));
  CHECK(square->prediction_surface == 4 && square->reference_surface == 0);
  CHECK(missed->state == SEGLOSS_CLASS_BOTH_EMPTY && distances_are(missed, 0));
  CHECK(p->out.percentiles[PERCENTILES] == 11 && p->out.percentiles[2 * PERCENTILES] == 0);
  CHECK(shares_are(&p->out.shares[TOLERANCES], 0.25, 0.25, 0.25));
  CHECK(shares_are(&p->out.shares[2 * TOLERANCES], 1, 1, 1));
  free(p->scratch.data);
}

/* No percentile, no tolerance: their outputs may be NULL. */
static void without_lists(void) {
  surface_problem s, *const p = &s;
  begin_surfaces(p);
  p->options.percentiles = p->options.tolerances = (segloss_doubles){NULL, 0};
  p->percentiles = NULL;
  p->shares = NULL;
  p->percentiles_length = p->shares_length = 0;
  CHECK(call_surface(p, SURFACES, NULL) == SEGLOSS_OK);
  CHECK(p->out.results[1].hausdorff == 0.5);
  CHECK(all_sentinel(p->out.percentiles, sizeof p->out.percentiles));
  CHECK(all_sentinel(p->out.shares, sizeof p->out.shares));
  free(p->scratch.data);
}

/* A single voxel has eight (four) surface elements, one at each corner. */
static void surfels(uint32_t axes) {
  uint8_t prediction[2 * 2 * 6] = {0}, reference[2 * 2 * 6] = {0};
  surface_problem s, *const p = &s;
  begin_surfaces(p);
  const double spacing[] = {0.5, 3, 2};
  const uint64_t extent[] = {2, 2, 6};
  const double a = spacing[0], b = spacing[1], c = spacing[2];
  memcpy(p->pair.extent, extent + 3 - axes, axes * sizeof *extent);
  memcpy(p->pair.spacing, spacing + 3 - axes, axes * sizeof *spacing);
  p->pair.axes = axes;
  p->pair.classes = 2;
  const uint64_t places = axes == 3 ? 24 : 12;
  /* In the corner of the volume, and three voxels from there. */
  prediction[0] = reference[3] = 1;
  p->pair.prediction = (segloss_array){prediction, places, SEGLOSS_U8};
  p->pair.reference = (segloss_array){reference, places, SEGLOSS_U8};
  p->options.model = SEGLOSS_SURFACE_SURFEL;
  p->options.convention = SEGLOSS_PERCENTILE_AREA_WEIGHTED;
  p->tolerance_list[1] = 2 * c;
  p->results_length = 2;
  p->percentiles_length = 2 * PERCENTILES;
  p->shares_length = 2 * TOLERANCES;
  provide_surface_scratch(p);
  CHECK(call_surface(p, SURFACES, NULL) == SEGLOSS_OK);
  const segloss_surface_result *const found = &p->out.results[1];
  const double area = sqrt(a * a * b * b + b * b * c * c + c * c * a * a);
  const double size = axes == 3 ? area : 2 * sqrt(b * b + c * c);
  CHECK(is_near(found->prediction_surface, size) && is_near(found->reference_surface, size));
  CHECK(is_near(found->hausdorff, 3 * c) && is_near(found->directed_mean[0], 2.5 * c));
  CHECK(is_near(found->assd, 2.5 * c) && is_near(found->masd, 2.5 * c));
  CHECK(is_near(p->out.percentiles[PERCENTILES], 2 * c));
  CHECK(is_near(p->out.percentiles[PERCENTILES + 1], 3 * c));
  CHECK(shares_are(&p->out.shares[TOLERANCES], 0, 0, 0));
  CHECK(shares_are(&p->out.shares[TOLERANCES + 1], 0.5, 0.5, 0.5));
  free(p->scratch.data);
}

/* Random maps of three axes. */
enum { SIDE = 6, RANDOM = SIDE * SIDE * SIDE, MANY = 3 };

static const double random_spacing[] = {1.5, 0.7, 0.4};

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int is_boundary(const uint8_t *mask, int place) {
  const int step[] = {SIDE * SIDE, SIDE, 1};
  if (!mask[place]) return 0;
  for (int axis = 0; axis < 3; ++axis) {
    const int along = place / step[axis] % SIDE;
    if (along == 0 || along == SIDE - 1) return 1;
    if (!mask[place - step[axis]] || !mask[place + step[axis]]) return 1;
  }
  return 0;
}

/* Distances from the boundary of one mask to that of another, sorted; returns how many. */
static int search(const uint8_t *from, const uint8_t *to, double *distances) {
  int count = 0;
  for (int i = 0; i < RANDOM; ++i) {
    if (!is_boundary(from, i)) continue;
    double nearest = INFINITY;
    for (int j = 0; j < RANDOM; ++j) {
      if (!is_boundary(to, j)) continue;
      const double z = (i / (SIDE * SIDE) - j / (SIDE * SIDE)) * random_spacing[0];
      const double y = (i / SIDE % SIDE - j / SIDE % SIDE) * random_spacing[1];
      const double x = (i % SIDE - j % SIDE) * random_spacing[2];
      nearest = fmin(nearest, sqrt(z * z + y * y + x * x));
    }
    distances[count++] = nearest;
  }
  qsort(distances, (size_t)count, sizeof *distances, by_size);
  return count;
}

static double linear(const double *sorted, int count, double percentile) {
  const double rank = percentile / 100 * (count - 1);
  const int below = (int)rank;
  const double above = sorted[below + 1 < count ? below + 1 : below];
  return sorted[below] + (rank - below) * (above - sorted[below]);
}

/* The smallest distance within which that share lies. */
static double weighted(const double *sorted, int count, double percentile) {
  const int rank = (int)ceil(percentile / 100 * count);
  return sorted[rank > 0 ? rank - 1 : 0];
}

static double mean(const double *values, int count) {
  double sum = 0.0;
  for (int i = 0; i < count; ++i) sum += values[i];
  return sum / count;
}

static double within(const double *values, int count, double tolerance) {
  int found = 0;
  for (int i = 0; i < count; ++i) found += values[i] <= tolerance * (1 + 1e-6);
  return found;
}

static void backwards(void *context, uint64_t tasks, segloss_task task, void *state) {
  (void)context;
  for (uint64_t i = tasks; i-- > 0;) task(state, i);
}

static void random_maps(uint64_t seed) {
  uint8_t prediction[RANDOM], mask[2][RANDOM];
  int32_t reference[RANDOM];
  uint64_t state = seed;
  for (int i = 0; i < RANDOM; ++i) {
    prediction[i] = (uint8_t)(random_score(&state) > 0.5 ? 1 : 0);
    reference[i] = random_score(&state) > 1.7 ? -9 : random_score(&state) > 0.5 ? 1 : 0;
    mask[0][i] = prediction[i] == 1 && reference[i] != -9;
    mask[1][i] = reference[i] == 1;
  }
  double there[RANDOM], back[RANDOM];
  const int a = search(mask[0], mask[1], there), b = search(mask[1], mask[0], back);

  surface_problem s, *const p = &s;
  begin_surfaces(p);
  p->pair.axes = 3;
  for (int axis = 0; axis < 3; ++axis) p->pair.extent[axis] = SIDE;
  memcpy(p->pair.spacing, random_spacing, sizeof random_spacing);
  p->pair.classes = 2;
  p->pair.ignore_label = -9;
  p->pair.prediction = (segloss_array){prediction, RANDOM, SEGLOSS_U8};
  p->pair.reference = (segloss_array){reference, RANDOM, SEGLOSS_I32};
  p->tolerance_list[1] = 0.7;
  p->results_length = 2;
  p->percentiles_length = 2 * PERCENTILES;
  p->shares_length = 2 * TOLERANCES;
  p->executor = (segloss_executor){NULL, MANY, backwards};
  const segloss_surface_result *const found = &p->out.results[1];
  for (p->options.convention = SEGLOSS_PERCENTILE_MAXIMUM_OF_DIRECTED;
       p->options.convention <= SEGLOSS_PERCENTILE_AREA_WEIGHTED; ++p->options.convention) {
    provide_surface_scratch(p);
    p->executor_argument = NULL;
    CHECK(call_surface(p, SURFACES, NULL) == SEGLOSS_OK);
    CHECK(found->prediction_surface == a && found->reference_surface == b);
    CHECK(is_near(found->hausdorff, fmax(there[a - 1], back[b - 1])));
    CHECK(is_near(found->directed_maximum[0], there[a - 1]));
    CHECK(is_near(found->directed_mean[0], mean(there, a)));
    CHECK(is_near(found->directed_mean[1], mean(back, b)));
    CHECK(is_near(found->assd, (a * mean(there, a) + b * mean(back, b)) / (a + b)));
    CHECK(is_near(found->masd, (mean(there, a) + mean(back, b)) / 2));
    double pooled[2 * RANDOM];
    memcpy(pooled, there, (size_t)a * sizeof *pooled);
    memcpy(pooled + a, back, (size_t)b * sizeof *pooled);
    qsort(pooled, (size_t)(a + b), sizeof *pooled, by_size);
    for (int i = 0; i < PERCENTILES; ++i) {
      const double q = p->percentile_list[i];
      const double wanted[] = {fmax(linear(there, a, q), linear(back, b, q)),
                               linear(pooled, a + b, q),
                               fmax(weighted(there, a, q), weighted(back, b, q))};
      CHECK(is_near(p->out.percentiles[PERCENTILES + i], wanted[p->options.convention]));
    }
    for (int i = 0; i < TOLERANCES; ++i) {
      const double x = within(there, a, p->tolerance_list[i]);
      const double y = within(back, b, p->tolerance_list[i]);
      CHECK(shares_are(&p->out.shares[TOLERANCES + i], (x + y) / (a + b), x / a, y / b));
    }
    /* The same bits on any number of workers, and at any level. */
    unsigned char alone[sizeof p->out];
    memcpy(alone, &p->out, sizeof alone);
    free(p->scratch.data);
    CHECK(segloss_surface_scratch_size(&p->options, &p->pair, MANY, &p->scratch.bytes, NULL) ==
          SEGLOSS_OK);
    p->scratch.data = malloc(p->scratch.bytes);
    p->executor_argument = &p->executor;
    p->options.level = SEGLOSS_LEVEL_PLAIN;
    CHECK(call_surface(p, SURFACES, NULL) == SEGLOSS_OK);
    CHECK(memcmp(alone, &p->out, sizeof alone) == 0);
    p->options.level = SEGLOSS_LEVEL_BEST;
  }
  free(p->scratch.data);
}

int main(void) {
  voxels();
  without_lists();
  surfels(2);
  surfels(3);
  for (uint64_t seed = 1; seed <= 5; ++seed) random_maps(seed);
  return finish_checks("surfaces");
}
