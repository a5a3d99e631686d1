// Losses, and what they are computed from.
#pragma once

#include "tree.hpp"

namespace segloss {

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

inline term hausdorff_dt(const spacing& between_voxels, double exponent = 2.0) {
  term made(SEGLOSS_TERM_HAUSDORFF_DT);
  between_voxels.write(made);
  made.exponent = exponent;
  return made;
}
inline term boundary(const spacing& between_voxels) {
  term made(SEGLOSS_TERM_BOUNDARY);
  between_voxels.write(made);
  return made;
}

// The terms of a preset, SEGLOSS_PRESET_...
inline std::vector<segloss_term> preset(std::uint32_t number) {
  std::vector<segloss_term> terms(3);
  std::uint64_t count = 0;
  require(segloss_preset(number, terms.data(), sizeof(segloss_term), terms.size(), &count));
  terms.resize(static_cast<std::size_t>(count));
  return terms;
}
// The same with the spacing that distance terms need.
inline std::vector<segloss_term> preset(std::uint32_t number, const spacing& between_voxels) {
  std::vector<segloss_term> terms = preset(number);
  for (segloss_term& one : terms) between_voxels.write(one);
  return terms;
}

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

  // Keeps the fields of distance terms in scratch memory: for gradients that are accumulated or
  // written over the scores.
  loss& with_fields_in_scratch() noexcept {
    loss_.fields_in_scratch = 1;
    return *this;
  }

  // Runs at a lower SIMD level than the processor offers, SEGLOSS_LEVEL_...; the result is the same
  // bits.
  loss& with_level(std::uint32_t level) noexcept {
    loss_.level = level;
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
  input(std::size_t classes, const extent& sizes, std::size_t batch = 1)
      : elements_(batch * classes * sizes.voxels()) {
    require(segloss_input_init(&input_, sizeof input_));
    input_.shape.batch = batch;
    input_.shape.classes = classes;
    sizes.write(input_.shape);
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

  // Signed squared distances that distance terms would compute, [batch][class][voxel]: those of the
  // target's masks from evaluator::target_fields, those of the prediction's from
  // distance_transform. An empty span takes them away.
  input& target_field(span<const float> field) {
    input_.target_field = checked(field);
    return *this;
  }
  input& prediction_field(span<const float> field) {
    input_.prediction_field = checked(field);
    return *this;
  }

  const segloss_input& view() const noexcept { return input_; }
  // Numbers of a field of all classes.
  std::size_t elements() const noexcept { return elements_; }
  // Numbers of a map without classes.
  std::size_t voxels() const noexcept {
    const std::size_t classes = static_cast<std::size_t>(input_.shape.classes);
    return classes == 0 ? 0 : elements_ / classes;
  }

  // The part of a sharded call that is everything.
  segloss_part whole() const noexcept { return {input_.shape.batch, 0, 0, 0}; }

 private:
  template <class T>
  input& target(std::uint32_t kind, span<T> values) noexcept {
    input_.target_kind = kind;
    input_.target = internal::array(values);
    return *this;
  }

  const float* checked(span<const float> field) const {
    if (field.size() == 0) return nullptr;
    if (field.size() == elements_) return field.data();
    throw error(internal::refusal(SEGLOSS_STATUS_LENGTH, SEGLOSS_ARGUMENT_FIELD, field.size(),
                                  elements_));
  }

  segloss_input input_{};
  std::size_t elements_;
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

}  // namespace segloss
