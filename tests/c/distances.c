/* Distance transforms against a search through all voxels, in every form that a call has. */
#include "distances.h"

enum { MOST = 4 * 5 * 6, KINDS = 4 };

typedef struct volume {
  uint32_t axes;
  uint64_t extent[3];
  double spacing[3];
} volume;

static const volume volumes[] = {
    {1, {17, 0, 0}, {1, 0, 0}},     {1, {9, 0, 0}, {0.3, 0, 0}},  {2, {7, 6, 0}, {1, 1, 0}},
    {2, {5, 8, 0}, {2.5, 0.7, 0}}, {3, {4, 5, 6}, {1, 1, 1}},    {3, {3, 4, 5}, {3, 0.75, 0.5}},
};

static uint64_t voxels_of(const volume *v) {
  uint64_t voxels = 1;
  for (uint32_t axis = 0; axis < v->axes; ++axis) voxels *= v->extent[axis];
  return voxels;
}

/* Squared distance of two voxels. */
static double squared_between(const volume *v, uint64_t a, uint64_t b) {
  double squared = 0.0;
  for (uint32_t axis = v->axes; axis-- > 0; a /= v->extent[axis], b /= v->extent[axis]) {
    const double step = (double)(a % v->extent[axis]) - (double)(b % v->extent[axis]);
    squared += step * step * v->spacing[axis] * v->spacing[axis];
  }
  return squared;
}

/* What the field of a mask of bytes must hold at a voxel. */
static double expected_at(const volume *v, const uint8_t *mask, uint64_t at, uint32_t side,
                          int squared) {
  const int inside = mask[at] != 0;
  double nearest = INFINITY;
  for (uint64_t other = 0; other < voxels_of(v); ++other) {
    if ((mask[other] != 0) != inside) nearest = fmin(nearest, squared_between(v, at, other));
  }
  if (side == SEGLOSS_SIDE_INSIDE && !inside) nearest = 0.0;
  if (side == SEGLOSS_SIDE_OUTSIDE && inside) nearest = 0.0;
  if (side == SEGLOSS_SIDE_TWO_PHASE && isinf(nearest)) nearest = 0.0;
  const double distance = squared ? nearest : sqrt(nearest);
  return side == SEGLOSS_SIDE_SIGNED && inside ? -distance : distance;
}

/* A number in half precision. */
static double half_value(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double value = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
                       : exponent == 0 ? ldexp(fraction, -24)
                                       : ldexp(1024 + fraction, exponent - 25);
  return bits >> 15 ? -value : value;
}

/* Tasks in the opposite order. */
static void backwards(void *context, uint64_t tasks, segloss_task task, void *state) {
  (void)context;
  for (uint64_t i = tasks; i-- > 0;) task(state, i);
}

/* A mask in all of its forms. */
typedef struct forms {
  uint8_t bytes[MOST];
  uint8_t bits[(MOST + 7) / 8];
  uint8_t small[MOST];
  int64_t labels[MOST];
} forms;

static void fill_forms(forms *made, uint64_t voxels, int density, uint64_t *state) {
  memset(made, 0, sizeof *made);
  /* Bits past the last voxel are not read. */
  memset(made->bits, 0xff, sizeof made->bits);
  for (uint64_t i = 0; i < voxels; ++i) {
    const int inside = random_score(state) + 2.0 < density;
    made->bytes[i] = (uint8_t)(inside ? 1 + i % 255 : 0);
    if (!inside) made->bits[i / 8] &= (uint8_t)~(1u << i % 8);
    made->small[i] = inside ? 7 : 8;
    made->labels[i] = inside ? INT64_MIN : (int64_t)i;
  }
}

static segloss_mask form_of(const forms *made, uint64_t voxels, int kind) {
  switch (kind) {
    case 0:
      return (segloss_mask){SEGLOSS_MASK_BYTES, 0, {made->bytes, voxels, SEGLOSS_U8}, 0};
    case 1:
      return (segloss_mask){SEGLOSS_MASK_BITS, 0, {made->bits, (voxels + 7) / 8, SEGLOSS_U8}, 0};
    case 2:
      return (segloss_mask){SEGLOSS_MASK_LABEL, 0, {made->small, voxels, SEGLOSS_U8}, 7};
    default:
      return (segloss_mask){SEGLOSS_MASK_LABEL, 0, {made->labels, voxels, SEGLOSS_I64}, INT64_MIN};
  }
}

static void transform(const segloss_distance *distance, const segloss_mask *mask, void *field,
                      uint64_t voxels, const segloss_executor *executor) {
  segloss_scratch scratch;
  const uint64_t workers = executor == NULL ? 1 : executor->workers;
  CHECK(segloss_distance_scratch_size(distance, workers, &scratch.bytes, NULL) == SEGLOSS_OK);
  scratch.data = malloc(scratch.bytes);
  const segloss_array_mut to = {field, voxels, distance->field_type};
  CHECK(segloss_distance_transform(distance, mask, to, scratch, executor, NULL) == SEGLOSS_OK);
  free(scratch.data);
}

static int is_near(double found, double wanted, double relative) {
  return found == wanted || fabs(found - wanted) <= relative * fabs(wanted);
}

static void check_fields(const volume *v, int density, uint32_t side, uint32_t squared) {
  static uint64_t state = 3;
  const uint64_t voxels = voxels_of(v);
  const int unit = v->spacing[0] == 1.0;
  forms made;
  fill_forms(&made, voxels, density, &state);
  segloss_distance distance;
  CHECK(segloss_distance_init(&distance, sizeof distance) == SEGLOSS_OK);
  CHECK(distance.side == SEGLOSS_SIDE_SIGNED && distance.field_type == SEGLOSS_F32);
  memcpy(distance.extent, v->extent, sizeof distance.extent);
  memcpy(distance.spacing, v->spacing, sizeof distance.spacing);
  distance.axes = v->axes;
  distance.side = side;
  distance.squared = squared;
  float field[MOST + 1], again[MOST + 1];
  memset(field, SENTINEL, sizeof field);
  segloss_mask mask = form_of(&made, voxels, 0);
  transform(&distance, &mask, field, voxels, NULL);
  for (uint64_t i = 0; i < voxels; ++i) {
    const double wanted = expected_at(v, made.bytes, i, side, squared != 0);
    CHECK(unit ? field[i] == (float)wanted : is_near(field[i], wanted, 3e-7));
  }
  CHECK(all_sentinel(field + voxels, sizeof field - voxels * sizeof *field));

  /* The same bits for every form of the mask, executor and level. */
  const segloss_executor executor = {NULL, 3, backwards};
  for (int kind = 0; kind < KINDS; ++kind) {
    mask = form_of(&made, voxels, kind);
    memset(again, SENTINEL, sizeof again);
    transform(&distance, &mask, again, voxels, kind == 0 ? &executor : NULL);
    CHECK(memcmp(again, field, sizeof field) == 0);
  }
  for (distance.level = SEGLOSS_LEVEL_PLAIN; distance.level <= SEGLOSS_LEVEL_AVX512;
       ++distance.level) {
    memset(again, SENTINEL, sizeof again);
    transform(&distance, &mask, again, voxels, NULL);
    CHECK(memcmp(again, field, sizeof field) == 0);
  }
  distance.level = SEGLOSS_LEVEL_BEST;
  uint16_t half[MOST + 1];
  memset(half, SENTINEL, sizeof half);
  distance.field_type = SEGLOSS_F16;
  transform(&distance, &mask, half, voxels, NULL);
  for (uint64_t i = 0; i < voxels; ++i) {
    CHECK(is_near(half_value(half[i]), field[i], 1.0 / 2048));
  }
  CHECK(all_sentinel(half + voxels, sizeof half - voxels * sizeof *half));
}

static void transforms(void) {
  for (size_t v = 0; v < sizeof volumes / sizeof *volumes; ++v) {
    /* From no foreground (0) to no background (4). */
    for (int density = 0; density <= 4; ++density) {
      for (uint32_t side = SEGLOSS_SIDE_INSIDE; side <= SEGLOSS_SIDE_TWO_PHASE; ++side) {
        check_fields(&volumes[v], density, side, 0);
        check_fields(&volumes[v], density, side, 1);
      }
    }
  }
  /* Beyond the largest number in half precision. */
  const uint8_t bytes[] = {1, 0, 0};
  uint16_t half[3];
  const segloss_distance far = {sizeof far, {3, 0, 0}, {4e4, 0, 0}, 1, SEGLOSS_SIDE_SIGNED, 0,
                                SEGLOSS_F16, SEGLOSS_LEVEL_BEST, 0};
  const segloss_mask mask = {SEGLOSS_MASK_BYTES, 0, {bytes, 3, SEGLOSS_U8}, 0};
  transform(&far, &mask, half, 3, NULL);
  CHECK(half_value(half[0]) == -4e4 && half_value(half[1]) == 4e4 && isinf(half_value(half[2])));
}

/* Fields of a target are signed squared transforms of its classes. */
static void target_fields(void) {
  distance_problem d, *const p = &d;
  begin_distances(p);
  CHECK(call_distance(p, TARGET_FIELDS, NULL) == SEGLOSS_OK);
  CHECK(all_sentinel(p->out.fields + FIELDS, sizeof(float)));
  float expected[FIELDS];
  p->distance.squared = 1;
  for (int c = 0; c < CLASSES; ++c) {
    p->mask.label = c;
    transform(&p->distance, &p->mask, expected + c * AREA, AREA, NULL);
  }
  CHECK(memcmp(p->out.fields, expected, sizeof expected) == 0);
  CHECK(p->out.fields[0] == -0.25f && p->out.fields[AREA] == 0.25f);

  /* Dense targets, cut above 0.5, in both layouts. */
  uint8_t binary[FIELDS] = {0};
  float soft[FIELDS] = {0};
  for (int i = 0; i < AREA; ++i) {
    if (p->labels[i] < 0) continue;
    binary[p->labels[i] * AREA + i] = 1;
    for (int c = 0; c < CLASSES; ++c) soft[i * CLASSES + c] = p->labels[i] == c ? 0.51f : 0.5f;
  }
  p->input.target_kind = SEGLOSS_TARGET_DENSE;
  p->input.target = (segloss_array){binary, FIELDS, SEGLOSS_U8};
  memset(&p->out, SENTINEL, sizeof p->out);
  CHECK(call_distance(p, TARGET_FIELDS, NULL) == SEGLOSS_OK);
  CHECK(memcmp(p->out.fields, expected, sizeof expected) == 0);
  p->input.shape.layout = SEGLOSS_INTERLEAVED;
  p->input.target = (segloss_array){soft, FIELDS, SEGLOSS_F32};
  memset(&p->out, SENTINEL, sizeof p->out);
  p->executor = (segloss_executor){NULL, 1, backwards};
  p->executor_argument = &p->executor;
  CHECK(call_distance(p, TARGET_FIELDS, NULL) == SEGLOSS_OK);
  CHECK(memcmp(p->out.fields, expected, sizeof expected) == 0);
  /* An ignore label that is a class removes the class. */
  p->input.target_kind = SEGLOSS_TARGET_LABELS;
  p->input.target = (segloss_array){p->labels, AREA, SEGLOSS_I16};
  p->input.ignore_label = 1;
  CHECK(call_distance(p, TARGET_FIELDS, NULL) == SEGLOSS_OK);
  CHECK(memcmp(p->out.fields, expected, AREA * sizeof *expected) == 0);
  for (int i = AREA; i < 2 * AREA; ++i) CHECK(isinf(p->out.fields[i]) && p->out.fields[i] > 0);
  end_distances(p);
}

/* Scratch of any alignment, and nothing outside of it. */
static void scratch(void) {
  distance_problem d, *const p = &d;
  begin_distances(p);
  float expected[FIELDS], field[AREA];
  CHECK(call_distance(p, TRANSFORM, NULL) == SEGLOSS_OK);
  memcpy(field, p->out.field, sizeof field);
  CHECK(call_distance(p, TARGET_FIELDS, NULL) == SEGLOSS_OK);
  memcpy(expected, p->out.fields, sizeof expected);
  const size_t bytes = p->scratch.bytes, fields_bytes = p->fields_scratch.bytes;
  const size_t room = (bytes > fields_bytes ? bytes : fields_bytes) + 2 * GUARD;
  unsigned char *const memory = malloc(room);
  void *const own = p->scratch.data, *const fields_own = p->fields_scratch.data;
  for (size_t shift = 0; shift < 9; ++shift) {
    for (int which = TRANSFORM; which <= TARGET_FIELDS; which *= 4) {
      const size_t used = which == TRANSFORM ? bytes : fields_bytes;
      memset(memory, SENTINEL, room);
      p->scratch.data = p->fields_scratch.data = memory + GUARD - shift;
      CHECK(call_distance(p, which, NULL) == SEGLOSS_OK);
      CHECK(all_sentinel(memory, GUARD - shift));
      CHECK(all_sentinel(memory + GUARD - shift + used, room - used - GUARD + shift));
    }
    CHECK(memcmp(p->out.field, field, sizeof field) == 0);
    CHECK(memcmp(p->out.fields, expected, sizeof expected) == 0);
  }
  free(memory);
  p->scratch.data = own;
  p->fields_scratch.data = fields_own;
  end_distances(p);
}

int main(void) {
  transforms();
  target_fields();
  scratch();
  return finish_checks("distances");
}
