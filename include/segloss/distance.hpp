// Distance transforms.
#pragma once

#include "core.hpp"

namespace segloss {

// Which voxels are foreground; the values are borrowed.
class mask {
 public:
  // One byte per voxel, not 0 is foreground.
  static mask bytes(span<const std::uint8_t> values) noexcept {
    return {SEGLOSS_MASK_BYTES, internal::array(values), 0};
  }
  // One bit per voxel, the least significant bit of a byte first.
  static mask bits(span<const std::uint8_t> values) noexcept {
    return {SEGLOSS_MASK_BITS, internal::array(values), 0};
  }
  // The voxels of a label map that have one label.
  template <class Labels>
  static mask label(Labels&& labels, std::int64_t wanted) {
    return {SEGLOSS_MASK_LABEL, internal::array(span(std::forward<Labels>(labels))), wanted};
  }

  const segloss_mask& view() const noexcept { return mask_; }

 private:
  mask(std::uint32_t kind, segloss_array values, std::int64_t label) noexcept
      : mask_{kind, 0, values, label} {}

  segloss_mask mask_;
};

// Exact Euclidean distances of masks of one extent and spacing, in scratch memory that it keeps.
// One per thread.
class distance_transform {
 public:
  distance_transform(const extent& sizes, const spacing& between_voxels) {
    require(segloss_distance_init(&distance_, sizeof distance_));
    between_voxels.require_axes(sizes.axes());
    between_voxels.write(distance_);
    sizes.write(distance_);
  }

  // SEGLOSS_SIDE_..., signed (negative inside) by default.
  distance_transform& side(std::uint32_t wanted) noexcept {
    distance_.side = wanted;
    return *this;
  }
  // Squared distances; signed ones keep their sign.
  distance_transform& squared() noexcept {
    distance_.squared = 1;
    return *this;
  }
  // SEGLOSS_LEVEL_..., the best by default. All give the same bits.
  distance_transform& level(std::uint32_t wanted) noexcept {
    distance_.level = wanted;
    return *this;
  }

  // Fills a field of float or float16, one number per voxel.
  template <class Field>
  void evaluate(const mask& foreground, Field&& field, const executor& threads = {}) {
    segloss_detail detail{};
    std::exception_ptr failure;
    const segloss_status status =
        evaluate_into(foreground, span(std::forward<Field>(field)), threads, detail, failure);
    internal::conclude(status, detail, failure);
  }

  // Without exceptions: the status, and what was refused.
  template <class Field>
  segloss_status try_evaluate(const mask& foreground, Field&& field, const executor& threads,
                              segloss_detail& detail) noexcept {
    std::exception_ptr lost;
    return evaluate_into(foreground, span(std::forward<Field>(field)), threads, detail, lost);
  }

  const segloss_distance& view() const noexcept { return distance_; }

 private:
  template <class T>
  segloss_status evaluate_into(const mask& foreground, span<T> field, const executor& threads,
                               segloss_detail& detail, std::exception_ptr& failure) noexcept {
    static_assert(!std::is_const_v<T>, "the field is written");
    distance_.field_type = element_type<T>::value;
    const segloss_array_mut to{field.data(), field.size(), element_type<T>::value};
    return memory_.try_call(
        threads, detail, failure,
        [&](auto workers, auto bytes, auto where) {
          return segloss_distance_scratch_size(&distance_, workers, bytes, where);
        },
        [&](auto scratch, auto lent, auto where) {
          return segloss_distance_transform(&distance_, &foreground.view(), to, scratch, lent,
                                            where);
        });
  }

  segloss_distance distance_{};
  internal::memory memory_;
};

}  // namespace segloss
