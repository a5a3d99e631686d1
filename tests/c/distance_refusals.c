/* Every refusal of a call on distances names its argument and writes nothing. */
#include "distances.h"

static void pointers(void) {
  const segloss_status null = SEGLOSS_STATUS_NULL_POINTER, misaligned = SEGLOSS_STATUS_MISALIGNED;
  const uint32_t field = SEGLOSS_ARGUMENT_FIELD, mask = SEGLOSS_ARGUMENT_MASK;
  const uint32_t target = SEGLOSS_ARGUMENT_TARGET, scratch = SEGLOSS_ARGUMENT_SCRATCH;
  REFUSED_DISTANCE(ON_MASK, null, field, p->distance_argument = NULL);
  REFUSED_DISTANCE(TRANSFORM, null, field, p->field.data = NULL);
  REFUSED_DISTANCE(TRANSFORM, null, mask, p->mask_argument = NULL);
  REFUSED_DISTANCE(TRANSFORM, null, mask, p->mask.values.data = NULL);
  REFUSED_DISTANCE(ON_TARGET, null, target, p->input_argument = NULL);
  REFUSED_DISTANCE(TARGET_FIELDS, null, target, p->input.target.data = NULL);
  REFUSED_DISTANCE(ON_TARGET, null, SEGLOSS_ARGUMENT_SPACING, p->spacing_argument = NULL);
  REFUSED_DISTANCE(TARGET_FIELDS, null, field, p->fields = NULL);
  REFUSED_DISTANCE(TRANSFORM_SIZE | TARGET_SIZE, null, SEGLOSS_ARGUMENT_RESULT,
                   p->bytes_argument = NULL);
  REFUSED_DISTANCE(WRITING, null, scratch, p->scratch.data = p->fields_scratch.data = NULL);
  REFUSED_DISTANCE(WRITING, null, SEGLOSS_ARGUMENT_EXECUTOR, p->executor.workers = 1;
                   p->executor_argument = &p->executor);
  CHECK(segloss_distance_init(NULL, sizeof(segloss_distance)) == null);

  REFUSED_DISTANCE_AT(TRANSFORM, misaligned, field, 0, 0, 4,
                      p->field.data = (char *)p->out.field + 2);
  REFUSED_DISTANCE_AT(TRANSFORM, misaligned, field, 0, 0, 2, p->field.type = SEGLOSS_F16;
                      p->distance.field_type = SEGLOSS_F16;
                      p->field.data = (char *)p->out.field + 1);
  REFUSED_DISTANCE_AT(TRANSFORM, misaligned, mask, 0, 0, 2,
                      p->mask.values.data = (const char *)p->labels + 1);
  REFUSED_DISTANCE_AT(TARGET_FIELDS, misaligned, target, 0, 0, 2,
                      p->input.target.data = (const char *)p->labels + 1);
  REFUSED_DISTANCE_AT(TARGET_FIELDS, misaligned, field, 0, 0, 4,
                      p->fields = (float *)(void *)((char *)p->out.fields + 2));
  REFUSED_DISTANCE_AT(ON_TARGET, misaligned, SEGLOSS_ARGUMENT_SPACING, 0, 0, 8,
                      p->spacing_argument =
                          (const double *)(const void *)((const char *)p->spacing + 4));
}

static void struct_sizes(void) {
  const segloss_status size = SEGLOSS_STATUS_STRUCT_SIZE;
  const double whole = sizeof(segloss_distance), input = sizeof(segloss_input);
  segloss_distance distance;
  memset(&distance, SENTINEL, sizeof distance);
  for (int wrong = -1; wrong <= 1; wrong += 2) {
    CHECK(segloss_distance_init(&distance, sizeof distance + (size_t)wrong) == size);
  }
  CHECK(all_sentinel(&distance, sizeof distance));
  REFUSED_DISTANCE_AT(ON_MASK, size, SEGLOSS_ARGUMENT_FIELD, 0, 0, whole, p->distance.size = 0);
  REFUSED_DISTANCE_AT(ON_MASK, size, SEGLOSS_ARGUMENT_FIELD, 0, whole - 1, whole,
                      p->distance.size -= 1);
  REFUSED_DISTANCE_AT(ON_TARGET, size, SEGLOSS_ARGUMENT_TARGET, 0, 0, input, p->input.size = 0);
  REFUSED_DISTANCE_AT(ON_TARGET, size, SEGLOSS_ARGUMENT_TARGET, 0, input - 1, input,
                      p->input.size -= 1);
}

static void enumerators(void) {
  const segloss_status unknown = SEGLOSS_STATUS_UNKNOWN_ENUMERATOR;
  const uint32_t field = SEGLOSS_ARGUMENT_FIELD, mask = SEGLOSS_ARGUMENT_MASK;
  const uint32_t target = SEGLOSS_ARGUMENT_TARGET;
  const uint32_t values[] = {10, 77, UINT32_MAX};
  for (int v = 0; v < 3; ++v) {
    const uint32_t value = values[v];
    REFUSED_DISTANCE_AT(ON_MASK, unknown, field, 0, value, 0, p->distance.side = value);
    REFUSED_DISTANCE_AT(ON_MASK, unknown, field, 0, value, 0, p->distance.field_type = value);
    REFUSED_DISTANCE_AT(ON_MASK, unknown, field, 0, value, 0, p->distance.level = value);
    REFUSED_DISTANCE_AT(TRANSFORM, unknown, field, 0, value, 0, p->field.type = value);
    REFUSED_DISTANCE_AT(TRANSFORM, unknown, mask, 0, value, 0, p->mask.kind = value);
    REFUSED_DISTANCE_AT(TRANSFORM, unknown, mask, 0, value, 0, p->mask.values.type = value);
    REFUSED_DISTANCE_AT(TARGET_FIELDS, unknown, target, 0, value, 0, p->input.target_kind = value);
    REFUSED_DISTANCE_AT(TARGET_FIELDS, unknown, target, 0, value, 0, p->input.target.type = value);
    REFUSED_DISTANCE_AT(ON_TARGET, unknown, SEGLOSS_ARGUMENT_SHAPE, 0, value, 0,
                        p->input.shape.layout = value);
  }
  /* Known types in the wrong place. */
  REFUSED_DISTANCE_AT(ON_MASK, unknown, field, 0, SEGLOSS_F64, 0,
                      p->distance.field_type = SEGLOSS_F64);
  REFUSED_DISTANCE_AT(TRANSFORM, unknown, field, 0, SEGLOSS_F16, 0, p->field.type = SEGLOSS_F16);
  REFUSED_DISTANCE_AT(TRANSFORM, unknown, field, 0, SEGLOSS_F32, 0,
                      p->distance.field_type = SEGLOSS_F16);
  for (uint32_t kind = SEGLOSS_MASK_BYTES; kind <= SEGLOSS_MASK_BITS; ++kind) {
    REFUSED_DISTANCE_AT(TRANSFORM, unknown, mask, 0, SEGLOSS_I16, 0, p->mask.kind = kind);
  }
  REFUSED_DISTANCE_AT(TRANSFORM, unknown, mask, 0, SEGLOSS_F32, 0,
                      p->mask.values.type = SEGLOSS_F32);
  REFUSED_DISTANCE(TARGET_FIELDS, SEGLOSS_STATUS_TARGET_KIND, target,
                   p->input.target_kind = SEGLOSS_TARGET_NODES);
}

static void sizes(void) {
  const segloss_status shape = SEGLOSS_STATUS_SHAPE, overflow = SEGLOSS_STATUS_SHAPE_OVERFLOW;
  const uint32_t argument = SEGLOSS_ARGUMENT_SHAPE;
  REFUSED_DISTANCE_AT(ON_MASK, shape, argument, 2, 4, 3, p->distance.axes = 4);
  REFUSED_DISTANCE_AT(ON_TARGET, shape, argument, 2, 4, 3, p->input.shape.axes = 4);
  REFUSED_DISTANCE(ON_MASK, shape, argument, p->distance.axes = UINT32_MAX);
  REFUSED_DISTANCE_AT(ON_MASK, shape, argument, 3, 0, 1, p->distance.extent[1] = 0);
  REFUSED_DISTANCE_AT(ON_TARGET, shape, argument, 3, 0, 1, p->input.shape.extent[1] = 0);
  REFUSED_DISTANCE_AT(ON_TARGET, shape, argument, 1, 0, 1, p->input.shape.classes = 0);
  REFUSED_DISTANCE(ON_MASK, overflow, argument, p->distance.extent[0] = UINT64_MAX);
  REFUSED_DISTANCE(ON_TARGET, overflow, argument, p->input.shape.extent[0] = UINT64_MAX);

  const segloss_status length = SEGLOSS_STATUS_LENGTH;
  for (int wrong = -1; wrong <= 1; wrong += 2) {
    const uint64_t by = (uint64_t)wrong;
    REFUSED_DISTANCE_AT(TRANSFORM, length, SEGLOSS_ARGUMENT_MASK, 0, AREA + wrong, AREA,
                        p->mask.values.length += by);
    REFUSED_DISTANCE_AT(TRANSFORM, length, SEGLOSS_ARGUMENT_MASK, 0, 2 + wrong, 2,
                        p->mask.kind = SEGLOSS_MASK_BITS;
                        p->mask.values = (segloss_array){p->labels, 2 + by, SEGLOSS_U8});
    REFUSED_DISTANCE_AT(TRANSFORM, length, SEGLOSS_ARGUMENT_FIELD, 0, AREA + wrong, AREA,
                        p->field.length += by);
    REFUSED_DISTANCE_AT(TARGET_FIELDS, length, SEGLOSS_ARGUMENT_TARGET, 0, AREA + wrong, AREA,
                        p->input.target.length += by);
    REFUSED_DISTANCE_AT(TARGET_FIELDS, length, SEGLOSS_ARGUMENT_FIELD, 0, FIELDS + wrong, FIELDS,
                        p->fields_length += by);
  }
  REFUSED_DISTANCE_AT(TRANSFORM, SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH, 0,
                      (double)p->scratch.bytes, (double)own.bytes, p->scratch.bytes -= 1);
  REFUSED_DISTANCE_AT(TARGET_FIELDS, SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH, 0,
                      (double)p->fields_scratch.bytes, (double)fields_own.bytes,
                      p->fields_scratch.bytes -= 1);
  REFUSED_DISTANCE(WRITING, SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH,
                   p->scratch = p->fields_scratch = (segloss_scratch){NULL, 0});
}

static void spacings(void) {
  const segloss_status spacing = SEGLOSS_STATUS_SPACING;
  const uint32_t argument = SEGLOSS_ARGUMENT_SPACING;
  const double bad[] = {0.0, -1.0, 9e-7, 1.1e6, NAN, INFINITY};
  for (int i = 0; i < 6; ++i) {
    const double value = bad[i];
    REFUSED_DISTANCE_AT(ON_MASK, spacing, argument, 1, value, 0, p->distance.spacing[1] = value);
    if (value != 0.0) {
      REFUSED_DISTANCE_AT(ON_TARGET, spacing, argument, 1, value, 0, p->spacing[1] = value);
    }
  }
  /* A 0 ends a spacing: that of no axis, of one, of three. */
  REFUSED_DISTANCE(ON_TARGET, spacing, argument, p->spacing[0] = 0.0);
  REFUSED_DISTANCE_AT(ON_TARGET, spacing, argument, 0, 1, 2, p->spacing[1] = 0.0);
  REFUSED_DISTANCE_AT(ON_TARGET, spacing, argument, 0, 3, 2, p->spacing[2] = 1.0);
}

/* Outputs that lie in what a call reads or in scratch, and scratch that lies in what it reads. */
static void overlaps(void) {
  const segloss_status overlap = SEGLOSS_STATUS_OVERLAP;
  const uint32_t field = SEGLOSS_ARGUMENT_FIELD, mask = SEGLOSS_ARGUMENT_MASK;
  const uint32_t target = SEGLOSS_ARGUMENT_TARGET, spacing = SEGLOSS_ARGUMENT_SPACING;
  REFUSED_DISTANCE(TRANSFORM, overlap, field, p->field.data = p->labels);
  REFUSED_DISTANCE(TRANSFORM, overlap, field, p->mask.values.data = p->out.field + AREA - 1);
  REFUSED_DISTANCE(TRANSFORM, overlap, field, p->field.data = &p->distance);
  REFUSED_DISTANCE(TRANSFORM, overlap, field, p->field.data = &p->mask);
  REFUSED_DISTANCE(TRANSFORM, overlap, field, p->executor_argument = (void *)p->out.field);
  REFUSED_DISTANCE(TRANSFORM, overlap, field, p->field.data = p->scratch.data);
  REFUSED_DISTANCE(TRANSFORM, overlap, mask, p->mask.values.data = p->scratch.data);
  REFUSED_DISTANCE(TRANSFORM, overlap, field, p->scratch.data = &p->distance);
  REFUSED_DISTANCE(TRANSFORM, overlap, mask, p->scratch.data = &p->mask; p->scratch.bytes = 8);
  REFUSED_DISTANCE(TARGET_FIELDS, overlap, field, p->input.target.data = p->out.fields);
  REFUSED_DISTANCE(TARGET_FIELDS, overlap, field, p->fields = (void *)&p->input);
  REFUSED_DISTANCE(TARGET_FIELDS, overlap, field, p->fields = (void *)p->spacing);
  REFUSED_DISTANCE(TARGET_FIELDS, overlap, field, p->executor_argument = (void *)p->out.fields);
  REFUSED_DISTANCE(TARGET_FIELDS, overlap, field, p->fields = p->fields_scratch.data);
  REFUSED_DISTANCE(TARGET_FIELDS, overlap, target, p->input.target.data = p->fields_scratch.data);
  REFUSED_DISTANCE(TARGET_FIELDS, overlap, spacing, p->fields_scratch.data = p->spacing;
                   p->fields_scratch.bytes = 24);
}

int main(void) {
  pointers();
  struct_sizes();
  enumerators();
  sizes();
  spacings();
  overlaps();
  return finish_checks("distance_refusals");
}
