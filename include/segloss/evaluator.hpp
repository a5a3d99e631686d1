// Evaluation of losses.
#pragma once

#include "loss.hpp"

namespace segloss {

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

  // Signed squared distances to every class of the target, for input::target_field: once as long as
  // the labels do not change.
  std::vector<float> target_fields(const input& data, const spacing& between_voxels,
                                   const executor& threads = {}) {
    std::vector<float> fields(data.elements());
    target_fields(data, between_voxels, fields, threads);
    return fields;
  }
  void target_fields(const input& data, const spacing& between_voxels, span<float> fields,
                     const executor& threads = {}) {
    const double* steps = between_voxels.data();
    segloss_detail detail{};
    std::exception_ptr failure;
    const segloss_status status = memory_.try_call(
        threads, detail, failure,
        [&](auto workers, auto bytes, auto where) {
          return segloss_target_fields_scratch_size(&data.view(), steps, workers, bytes, where);
        },
        [&](auto scratch, auto lent, auto where) {
          return segloss_target_fields(&data.view(), steps, fields.data(), fields.size(), scratch,
                                       lent, where);
        });
    internal::conclude(status, detail, failure);
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
    internal::conclude(status, detail, failure);
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
    internal::conclude(status, detail, failure);
  }

  template <class Function>
  segloss_status try_call(const loss& evaluated, const input& data, const segloss_part* part,
                          const executor& threads, segloss_detail& detail,
                          std::exception_ptr& failure, const Function& function) noexcept {
    const segloss_loss view = evaluated.view();
    return memory_.try_call(
        threads, detail, failure,
        [&](auto workers, auto bytes, auto where) {
          return segloss_loss_scratch_size(&view, &data.view(), part, workers, bytes, where);
        },
        [&](auto scratch, auto lent, auto where) { return function(&view, scratch, lent, where); });
  }

  internal::memory memory_;
};

}  // namespace segloss
