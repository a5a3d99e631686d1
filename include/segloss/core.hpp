// What the parts of segloss.hpp stand on: errors, spans, sizes, threads, scratch memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(_OPENMP)
#include <omp.h>
#endif

#include "../segloss.h"

namespace segloss {

// A refusal: which status, which argument, where, what was found and what was needed.
class error : public std::runtime_error {
 public:
  explicit error(const segloss_detail& detail)
      : std::runtime_error(describe(detail)), detail_(detail) {}

  segloss_status status() const noexcept { return detail_.status; }
  std::uint32_t argument() const noexcept { return detail_.argument; }
  std::uint64_t position() const noexcept { return detail_.position; }
  double value() const noexcept { return detail_.value; }
  double expected() const noexcept { return detail_.expected; }

 private:
  static std::string describe(const segloss_detail& detail) {
    std::ostringstream text;
    text << "segloss: " << segloss_status_message(detail.status);
    if (detail.argument != SEGLOSS_ARGUMENT_NONE) {
      text << " (" << segloss_argument_name(detail.argument) << ", position " << detail.position
           << ": found " << detail.value << ", expected " << detail.expected << ")";
    }
    return text.str();
  }

  segloss_detail detail_;
};

// Throws unless the status is that of success.
inline void require(segloss_status status, segloss_detail detail = {}) {
  if (status == SEGLOSS_OK) return;
  detail.status = status;
  throw error(detail);
}

// A pointer and a number of elements, from anything with data and size (std::span included).
template <class T>
class span {
  template <class Container>
  using element = std::remove_pointer_t<decltype(std::data(std::declval<Container&>()))>;

 public:
  constexpr span() noexcept = default;
  constexpr span(T* data, std::size_t size) noexcept : data_(data), size_(size) {}

  template <class Container, class = std::enable_if_t<
                                 std::is_convertible_v<element<Container> (*)[], T (*)[]>>>
  constexpr span(Container&& values) : data_(std::data(values)), size_(std::size(values)) {
    static_assert(std::is_lvalue_reference_v<Container> ||
                      std::is_trivially_destructible_v<std::remove_reference_t<Container>>,
                  "the container would be gone before it is read");
  }

  constexpr T* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr T* begin() const noexcept { return data_; }
  constexpr T* end() const noexcept { return data_ + size_; }
  constexpr T& operator[](std::size_t index) const { return data_[index]; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

template <class Container>
span(Container&&)
    -> span<std::remove_pointer_t<decltype(std::data(std::declval<Container&>()))>>;

// 16-bit floating point numbers; or specialise element_type for a type of your own.
struct float16 {
  std::uint16_t bits;
};
struct bfloat16 {
  std::uint16_t bits;
};

// The number by which the library knows an element type.
template <class T, class = void>
struct element_type;
template <>
struct element_type<float> : std::integral_constant<std::uint32_t, SEGLOSS_F32> {};
template <>
struct element_type<double> : std::integral_constant<std::uint32_t, SEGLOSS_F64> {};
template <>
struct element_type<float16> : std::integral_constant<std::uint32_t, SEGLOSS_F16> {};
template <>
struct element_type<bfloat16> : std::integral_constant<std::uint32_t, SEGLOSS_BF16> {};
template <class T>
struct element_type<T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>> {
  static constexpr std::uint32_t of_size(std::size_t bytes) {
    if (bytes == 1) return std::is_unsigned_v<T> ? SEGLOSS_U8 : 0;
    if (bytes == 2) return std::is_unsigned_v<T> ? SEGLOSS_U16 : SEGLOSS_I16;
    if (bytes == 4) return std::is_signed_v<T> ? SEGLOSS_I32 : 0;
    return std::is_signed_v<T> ? SEGLOSS_I64 : 0;
  }
  static constexpr std::uint32_t value = of_size(sizeof(T));
  static_assert(value != 0, "labels are u8, u16, i16, i32 or i64");
};

namespace internal {

template <class T>
segloss_array array(span<T> values) noexcept {
  return {values.data(), values.size(), element_type<std::remove_const_t<T>>::value};
}

inline segloss_detail refusal(segloss_status status, std::uint32_t argument, std::size_t found,
                              std::size_t expected) noexcept {
  return {status, argument, 0, static_cast<double>(found), static_cast<double>(expected)};
}

}  // namespace internal

// A list for the options of a term, borrowed: term.class_weights = segloss::list(weights);
inline segloss_doubles list(span<const double> values) noexcept {
  return {values.data(), values.size()};
}

// Voxels along one to three axes, the slowest first.
class extent {
 public:
  extent(std::initializer_list<std::size_t> along) : extent(along.begin(), along.size()) {}
  extent(const std::vector<std::size_t>& along) : extent(along.data(), along.size()) {}

  std::uint32_t axes() const noexcept { return axes_; }
  std::size_t voxels() const noexcept {
    std::size_t product = 1;
    for (std::uint32_t axis = 0; axis < axes_; ++axis) product *= along_[axis];
    return product;
  }

  // Fills in the sizes of a C struct.
  template <class Struct>
  void write(Struct& to) const noexcept {
    to.axes = axes_;
    for (std::uint32_t axis = 0; axis < axes_; ++axis) to.extent[axis] = along_[axis];
  }

 private:
  extent(const std::size_t* along, std::size_t axes) {
    if (axes > along_.size()) {
      throw error(internal::refusal(SEGLOSS_STATUS_SHAPE, SEGLOSS_ARGUMENT_SHAPE, axes,
                                    along_.size()));
    }
    axes_ = static_cast<std::uint32_t>(axes);
    for (std::size_t axis = 0; axis < axes; ++axis) along_[axis] = along[axis];
  }

  std::array<std::size_t, 3> along_{};
  std::uint32_t axes_ = 0;
};

// Distance between voxels along one to three axes, the slowest first. There is no default.
class spacing {
 public:
  spacing(std::initializer_list<double> along) : spacing(along.begin(), along.size()) {}
  spacing(const std::vector<double>& along) : spacing(along.data(), along.size()) {}

  std::size_t axes() const noexcept { return axes_; }
  // Three numbers, 0 for axes that are not there.
  const double* data() const noexcept { return along_.data(); }

  template <class Struct>
  void write(Struct& to) const noexcept {
    for (std::size_t axis = 0; axis < along_.size(); ++axis) to.spacing[axis] = along_[axis];
  }

  // Throws if a volume has another number of axes.
  void require_axes(std::size_t expected) const {
    if (axes_ == expected) return;
    throw error(internal::refusal(SEGLOSS_STATUS_SPACING, SEGLOSS_ARGUMENT_SPACING, axes_,
                                  expected));
  }

 private:
  spacing(const double* along, std::size_t axes) : axes_(axes) {
    if (axes == 0 || axes > along_.size()) require_axes(along_.size());
    for (std::size_t axis = 0; axis < axes; ++axis) {
      // The library takes 0 for the end of the axes.
      if (along[axis] == 0.0) {
        segloss_detail detail = internal::refusal(SEGLOSS_STATUS_SPACING,
                                                  SEGLOSS_ARGUMENT_SPACING, 0, 0);
        detail.position = axis;
        throw error(detail);
      }
      along_[axis] = along[axis];
    }
  }

  std::array<double, 3> along_{};
  std::size_t axes_ = 0;
};

// One task of the library: call it with every index below the number of tasks, once.
class task {
 public:
  task(segloss_task call, void* state) noexcept : call_(call), state_(state) {}
  void operator()(std::uint64_t index) const { call_(state_, index); }

 private:
  segloss_task call_;
  void* state_;
};

// The caller's threads: any callable parallel_for(tasks, body) that calls body(i) once for every
// i < tasks, a std::uint64_t, and returns when all are done; it is not called for a single task. By
// default the calling thread alone.
class executor {
 public:
  executor() = default;
  // `workers`: how many tasks may run at once; scratch grows with it.
  executor(std::size_t workers, std::function<void(std::uint64_t, const task&)> parallel_for)
      : workers_(workers), parallel_for_(std::move(parallel_for)) {}

  std::size_t workers() const noexcept { return workers_; }

  // Lends a segloss_executor* to `call`. What parallel_for throws is kept in `failure`: no
  // exception may cross the library.
  template <class Call>
  segloss_status lend(std::exception_ptr& failure, const Call& call) const {
    if (!parallel_for_) return call(nullptr);
    running now{&parallel_for_, nullptr};
    const segloss_executor lent{&now, workers_, run};
    const segloss_status status = call(&lent);
    failure = now.failure;
    return status;
  }

 private:
  struct running {
    const std::function<void(std::uint64_t, const task&)>* parallel_for;
    std::exception_ptr failure;
  };

  static void run(void* context, std::uint64_t tasks, segloss_task call, void* state) noexcept {
    running& now = *static_cast<running*>(context);
    try {
      (*now.parallel_for)(tasks, task(call, state));
    } catch (...) {
      now.failure = std::current_exception();
    }
  }

  std::size_t workers_ = 1;
  std::function<void(std::uint64_t, const task&)> parallel_for_;
};

#if defined(_OPENMP)
// OpenMP threads; compile with -fopenmp or its like.
inline executor openmp_executor(int threads = omp_get_max_threads()) {
  return {static_cast<std::size_t>(threads), [threads](std::uint64_t tasks, const task& body) {
#pragma omp parallel for schedule(dynamic) num_threads(threads)
            for (std::uint64_t index = 0; index < tasks; ++index) body(index);
          }};
}
#endif

namespace internal {

// Throws what an executor has thrown, or what the library has refused.
inline void conclude(segloss_status status, const segloss_detail& detail,
                     const std::exception_ptr& failure) {
  if (failure) std::rethrow_exception(failure);
  require(status, detail);
}

// Scratch memory that is kept between calls, and the way of every call that needs some.
class memory {
 public:
  // Calls `query` for the size, then `function` with scratch, executor and detail. Exceptions of
  // the executor are kept in `failure`; memory that cannot be had is SEGLOSS_STATUS_SCRATCH_SIZE.
  template <class Query, class Function>
  segloss_status try_call(const executor& threads, segloss_detail& detail,
                          std::exception_ptr& failure, const Query& query,
                          const Function& function) noexcept {
    std::uint64_t bytes = 0;
    segloss_status status = query(threads.workers(), &bytes, &detail);
    if (status == SEGLOSS_OK) status = reserve(static_cast<std::size_t>(bytes), detail);
    if (status != SEGLOSS_OK) return status;
    return threads.lend(failure, [&](const segloss_executor* lent) {
      return function(segloss_scratch{bytes_.data(), bytes_.size()}, lent, &detail);
    });
  }

 private:
  segloss_status reserve(std::size_t bytes, segloss_detail& detail) noexcept {
    try {
      if (bytes_.size() < bytes) bytes_.resize(bytes);
      return SEGLOSS_OK;
    } catch (const std::exception&) {
      detail = refusal(SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH, bytes_.size(), bytes);
      return detail.status;
    }
  }

  std::vector<unsigned char> bytes_;
};

}  // namespace internal

}  // namespace segloss
