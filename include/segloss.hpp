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
// Options are members of the C struct: auto term = segloss::dice(); term.pooling = ...;
// Scores, labels, gradients and the lists of a term are borrowed: they must outlive their use. A
// refusal throws segloss::error; evaluator::try_evaluate returns a status instead. Whatever is
// missing here can be called in C on what view() returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(_OPENMP)
#include <omp.h>
#endif

#include "segloss.h"

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

// One term of a loss with the defaults of its kind.
struct term : segloss_term {
  explicit term(std::uint32_t term_kind) : segloss_term() {
    require(segloss_term_init(this, sizeof(segloss_term), term_kind));
  }
};

inline term operator*(double factor, term scaled) noexcept {
  scaled.weight *= factor;
  return scaled;
}

inline term dice() { return term(SEGLOSS_TERM_DICE); }
inline term jaccard() {
  term made(SEGLOSS_TERM_DICE);
  made.ratio = SEGLOSS_RATIO_JACCARD;
  return made;
}
inline term tversky(double false_positive_weight, double false_negative_weight,
                    double exponent = 1.0) {
  term made(SEGLOSS_TERM_TVERSKY);
  made.false_positive_weight = false_positive_weight;
  made.false_negative_weight = false_negative_weight;
  made.exponent = exponent;
  return made;
}
inline term generalised_dice(std::uint32_t weighting = SEGLOSS_WEIGHTING_INVERSE_SQUARE) {
  term made(SEGLOSS_TERM_GENERALISED_DICE);
  made.weighting = weighting;
  return made;
}
inline term cross_entropy(double label_smoothing = 0.0) {
  term made(SEGLOSS_TERM_CROSS_ENTROPY);
  made.label_smoothing = label_smoothing;
  return made;
}
inline term binary_cross_entropy() { return term(SEGLOSS_TERM_BINARY_CROSS_ENTROPY); }
inline term focal(double gamma = 2.0) {
  term made(SEGLOSS_TERM_FOCAL);
  made.gamma = gamma;
  return made;
}
inline term top_k_cross_entropy(double fraction = 0.1) {
  term made(SEGLOSS_TERM_TOP_K_CROSS_ENTROPY);
  made.fraction = fraction;
  return made;
}
inline term tree_cross_entropy(span<const double> node_weights) {
  term made(SEGLOSS_TERM_TREE_CROSS_ENTROPY);
  made.node_weights = list(node_weights);
  return made;
}
inline term tree_wasserstein(std::uint32_t scale = SEGLOSS_SCALE_AS_GIVEN) {
  term made(SEGLOSS_TERM_TREE_WASSERSTEIN);
  made.scale = scale;
  return made;
}
inline term wasserstein_dice(std::uint64_t background = 0) {
  term made(SEGLOSS_TERM_WASSERSTEIN_DICE);
  made.background = background;
  return made;
}

// The terms of a preset, SEGLOSS_PRESET_...
inline std::vector<segloss_term> preset(std::uint32_t number) {
  std::vector<segloss_term> terms(2);
  std::uint64_t count = 0;
  require(segloss_preset(number, terms.data(), sizeof(segloss_term), terms.size(), &count));
  terms.resize(static_cast<std::size_t>(count));
  return terms;
}

// A label tree; throws if it is none.
class tree {
 public:
  // The parent of every node (-1 for the root), the leaf of every class and, unless all are 1, the
  // weight of the edge above every node.
  tree(std::vector<std::int32_t> parent, std::vector<std::int32_t> leaf_of_class,
       std::vector<double> edge_weights = {})
      : parent_(std::move(parent)),
        leaf_of_class_(std::move(leaf_of_class)),
        edge_weights_(std::move(edge_weights)) {
    if (!edge_weights_.empty() && edge_weights_.size() != parent_.size()) {
      throw error(internal::refusal(SEGLOSS_STATUS_LENGTH, SEGLOSS_ARGUMENT_TREE_NODE,
                                  edge_weights_.size(), parent_.size()));
    }
    call(segloss_tree_check);
  }

  std::size_t nodes() const noexcept { return parent_.size(); }
  std::size_t classes() const noexcept { return leaf_of_class_.size(); }

  segloss_tree view() const noexcept {
    return {parent_.data(), edge_weights_.empty() ? nullptr : edge_weights_.data(),
            parent_.size(), leaf_of_class_.data(), leaf_of_class_.size()};
  }

  // Node weights by rule, SEGLOSS_NODE_WEIGHTS_...
  std::vector<double> node_weights(std::uint32_t rule, double factor = 1.0) const {
    std::vector<double> weights(nodes());
    call([&](auto viewed, auto scratch, auto where) {
      return segloss_tree_node_weights(viewed, rule, factor, scratch, weights.data(),
                                       weights.size(), where);
    });
    return weights;
  }

  // The same weight for all nodes of a level; the root is level 0.
  std::vector<double> level_weights(const std::vector<double>& weight_of_level) const {
    std::vector<double> weights(nodes());
    call([&](auto viewed, auto scratch, auto where) {
      return segloss_tree_level_weights(viewed, weight_of_level.data(), weight_of_level.size(),
                                        scratch, weights.data(), weights.size(), where);
    });
    return weights;
  }

  double distance(std::size_t class_a, std::size_t class_b) const {
    double measured = 0.0;
    call([&](auto viewed, auto scratch, auto where) {
      return segloss_tree_distance(viewed, class_a, class_b, scratch, &measured, where);
    });
    return measured;
  }

  // Between all classes, row by row.
  std::vector<double> distances() const {
    std::vector<double> measured(classes() * classes());
    call([&](auto viewed, auto scratch, auto where) {
      return segloss_tree_distances(viewed, scratch, measured.data(), measured.size(), where);
    });
    return measured;
  }

 private:
  template <class Function>
  void call(const Function& function) const {
    const segloss_tree viewed = view();
    segloss_detail detail{};
    std::uint64_t bytes = 0;
    require(segloss_tree_scratch_size(&viewed, &bytes, &detail), detail);
    std::vector<unsigned char> scratch(static_cast<std::size_t>(bytes));
    require(function(&viewed, segloss_scratch{scratch.data(), bytes}, &detail), detail);
  }

  std::vector<std::int32_t> parent_;
  std::vector<std::int32_t> leaf_of_class_;
  std::vector<double> edge_weights_;
};

// A list of terms under one activation.
class loss {
 public:
  explicit loss(std::vector<segloss_term> terms, std::uint32_t activation = SEGLOSS_SOFTMAX)
      : terms_(std::move(terms)) {
    require(segloss_loss_init(&loss_, sizeof loss_));
    loss_.activation = activation;
  }

  // The tree of the tree terms, borrowed.
  loss& with_tree(const segloss::tree& labels) noexcept {
    loss_.tree = labels.view();
    return *this;
  }
  loss& with_tree(segloss::tree&&) = delete;

  // Takes the per-class sums even if no term needs them.
  loss& with_class_sums() noexcept {
    loss_.class_sums = 1;
    return *this;
  }

  const std::vector<segloss_term>& terms() const noexcept { return terms_; }

  // Valid while the loss is neither changed nor destroyed.
  segloss_loss view() const noexcept {
    segloss_loss viewed = loss_;
    viewed.terms = terms_.data();
    viewed.term_count = terms_.size();
    return viewed;
  }

 private:
  std::vector<segloss_term> terms_;
  segloss_loss loss_{};
};

// Scores and target; the buffers are borrowed.
class input {
 public:
  // Extents of one to three axes, the slowest first.
  input(std::size_t classes, std::initializer_list<std::size_t> extent, std::size_t batch = 1)
      : input(classes, std::vector<std::size_t>(extent), batch) {}
  input(std::size_t classes, const std::vector<std::size_t>& extent, std::size_t batch = 1) {
    require(segloss_input_init(&input_, sizeof input_));
    constexpr std::size_t most_axes = std::extent_v<decltype(segloss_shape::extent)>;
    if (extent.size() > most_axes) {
      throw error(internal::refusal(SEGLOSS_STATUS_SHAPE, SEGLOSS_ARGUMENT_SHAPE, extent.size(),
                                  most_axes));
    }
    input_.shape.batch = batch;
    input_.shape.classes = classes;
    input_.shape.axes = static_cast<std::uint32_t>(extent.size());
    for (std::size_t axis = 0; axis < extent.size(); ++axis) {
      input_.shape.extent[axis] = extent[axis];
    }
  }

  // Channels last: [batch][voxel][class].
  input& interleaved() noexcept {
    input_.shape.layout = SEGLOSS_INTERLEAVED;
    return *this;
  }

  template <class Values>
  input& scores(Values&& values) {
    input_.scores = internal::array(span(std::forward<Values>(values)));
    return *this;
  }
  template <class Values>
  input& labels(Values&& values) {
    return target(SEGLOSS_TARGET_LABELS, span(std::forward<Values>(values)));
  }
  // Nodes of the label tree, inner ones included.
  template <class Values>
  input& nodes(Values&& values) {
    return target(SEGLOSS_TARGET_NODES, span(std::forward<Values>(values)));
  }
  // Values in [0, 1] for every class, in the layout of the scores.
  template <class Values>
  input& dense(Values&& values) {
    return target(SEGLOSS_TARGET_DENSE, span(std::forward<Values>(values)));
  }
  // Voxels with this label or node do not count.
  input& ignore(std::int64_t label) noexcept {
    input_.has_ignore_label = 1;
    input_.ignore_label = label;
    return *this;
  }
  template <class Values>
  input& voxel_weights(Values&& values) {
    input_.voxel_weights = internal::array(span(std::forward<Values>(values)));
    return *this;
  }

  const segloss_input& view() const noexcept { return input_; }

  // The part of a sharded call that is everything.
  segloss_part whole() const noexcept { return {input_.shape.batch, 0, 0, 0}; }

 private:
  template <class T>
  input& target(std::uint32_t kind, span<T> values) noexcept {
    input_.target_kind = kind;
    input_.target = internal::array(values);
    return *this;
  }

  segloss_input input_{};
};

// Where the gradient goes, borrowed; a container converts to it. It may be the scores themselves.
class gradient {
 public:
  template <class Values,
            class T = std::remove_pointer_t<decltype(std::data(std::declval<Values&>()))>,
            class = std::enable_if_t<!std::is_const_v<T>>>
  gradient(Values&& values) {
    const span<T> buffer(std::forward<Values>(values));
    require(segloss_gradient_init(&gradient_, sizeof gradient_));
    gradient_.values = {buffer.data(), buffer.size(), element_type<T>::value};
  }

  // Factor of the gradient.
  gradient& scaled(double upstream) noexcept {
    gradient_.upstream = upstream;
    return *this;
  }
  // Adds to what is there.
  gradient& accumulating() noexcept {
    gradient_.mode = SEGLOSS_GRADIENT_ACCUMULATE;
    return *this;
  }

  const segloss_gradient& view() const noexcept { return gradient_; }

 private:
  segloss_gradient gradient_{};
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
// i < tasks, a std::uint64_t, and returns when all are done. By default the calling thread alone.
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

// Total, value of every term, counted voxels; its class_sums lie in the evaluator's scratch memory
// and are valid until that is used again.
using evaluation = segloss_evaluation;

// Evaluates losses in scratch memory that it keeps. One per thread.
class evaluator {
 public:
  // Value of a loss and of each of its terms.
  evaluation evaluate(const loss& evaluated, const input& data, const executor& threads = {}) {
    return evaluate_into(evaluated, data, nullptr, threads);
  }
  // The same with its gradient.
  evaluation evaluate(const loss& evaluated, const input& data, const gradient& derivative,
                      const executor& threads = {}) {
    return evaluate_into(evaluated, data, &derivative.view(), threads);
  }

  // Without exceptions: the status, and what was refused. An exception of the executor is lost,
  // scratch memory that cannot be had is SEGLOSS_STATUS_SCRATCH_SIZE.
  segloss_status try_evaluate(const loss& evaluated, const input& data, const gradient* derivative,
                              const executor& threads, evaluation& result,
                              segloss_detail& detail) noexcept {
    std::exception_ptr lost;
    const segloss_gradient* view = derivative == nullptr ? nullptr : &derivative->view();
    return evaluate_into(evaluated, data, view, threads, result, detail, lost);
  }

  // Voxels of a block: parts of a volume begin at multiples of it.
  static std::uint64_t block_voxels(const input& data) {
    segloss_detail detail{};
    std::uint64_t voxels = 0;
    require(segloss_loss_block_voxels(&data.view(), &voxels, &detail), detail);
    return voxels;
  }

  // What accumulate adds to. Sums of several parts or ranks are added element by element.
  static std::vector<double> zero_sums(const loss& evaluated, const input& data,
                                       const segloss_part& part) {
    const segloss_loss view = evaluated.view();
    segloss_detail detail{};
    std::uint64_t length = 0;
    require(segloss_loss_sums_length(&view, &data.view(), &part, &length, &detail), detail);
    return std::vector<double>(static_cast<std::size_t>(length));
  }

  // Step 1 of a sharded evaluation: adds the sums of a part.
  void accumulate(const loss& evaluated, const input& data, const segloss_part& part,
                  span<double> sums, const executor& threads = {}) {
    call(evaluated, data, &part, threads, [&](auto view, auto scratch, auto lent, auto where) {
      return segloss_loss_accumulate(view, &data.view(), &part, scratch, lent, sums.data(),
                                     sums.size(), where);
    });
  }

  // Step 2: the evaluation that sums stand for.
  evaluation finish(const loss& evaluated, const input& data, const segloss_part& part,
                    span<const double> sums) {
    evaluation result{};
    call(evaluated, data, &part, {}, [&](auto view, auto scratch, auto, auto where) {
      return segloss_loss_finish(view, &data.view(), &part, sums.data(), sums.size(), scratch,
                                 &result, where);
    });
    return result;
  }

  // Step 3: the gradient of a part, from the sums of all parts.
  void differentiate(const loss& evaluated, const input& data, const segloss_part& part,
                     span<const double> sums, const gradient& derivative,
                     const executor& threads = {}) {
    call(evaluated, data, &part, threads, [&](auto view, auto scratch, auto lent, auto where) {
      return segloss_loss_gradient(view, &data.view(), &part, sums.data(), sums.size(),
                                   &derivative.view(), scratch, lent, where);
    });
  }

 private:
  evaluation evaluate_into(const loss& evaluated, const input& data,
                           const segloss_gradient* derivative, const executor& threads) {
    evaluation result{};
    segloss_detail detail{};
    std::exception_ptr failure;
    const segloss_status status =
        evaluate_into(evaluated, data, derivative, threads, result, detail, failure);
    if (failure) std::rethrow_exception(failure);
    require(status, detail);
    return result;
  }

  segloss_status evaluate_into(const loss& evaluated, const input& data,
                               const segloss_gradient* derivative, const executor& threads,
                               evaluation& result, segloss_detail& detail,
                               std::exception_ptr& failure) noexcept {
    return try_call(evaluated, data, nullptr, threads, detail, failure,
                    [&](auto view, auto scratch, auto lent, auto where) {
                      return segloss_loss_evaluate(view, &data.view(), derivative, scratch, lent,
                                                   &result, where);
                    });
  }

  template <class Function>
  void call(const loss& evaluated, const input& data, const segloss_part* part,
            const executor& threads, const Function& function) {
    segloss_detail detail{};
    std::exception_ptr failure;
    const segloss_status status =
        try_call(evaluated, data, part, threads, detail, failure, function);
    if (failure) std::rethrow_exception(failure);
    require(status, detail);
  }

  template <class Function>
  segloss_status try_call(const loss& evaluated, const input& data, const segloss_part* part,
                          const executor& threads, segloss_detail& detail,
                          std::exception_ptr& failure, const Function& function) noexcept {
    const segloss_loss view = evaluated.view();
    std::uint64_t bytes = 0;
    segloss_status status = segloss_loss_scratch_size(&view, &data.view(), part,
                                                      threads.workers(), &bytes, &detail);
    if (status == SEGLOSS_OK) status = reserve(static_cast<std::size_t>(bytes), detail);
    if (status != SEGLOSS_OK) return status;
    return threads.lend(failure, [&](const segloss_executor* lent) {
      return function(&view, segloss_scratch{scratch_.data(), scratch_.size()}, lent, &detail);
    });
  }

  segloss_status reserve(std::size_t bytes, segloss_detail& detail) noexcept {
    try {
      if (scratch_.size() < bytes) scratch_.resize(bytes);
      return SEGLOSS_OK;
    } catch (const std::exception&) {
      detail = internal::refusal(SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_SCRATCH,
                               scratch_.size(), bytes);
      return detail.status;
    }
  }

  std::vector<unsigned char> scratch_;
};

}  // namespace segloss
