// Surface metrics of label maps.
#pragma once

#include "metrics.hpp"

namespace segloss {

// One result per class; percentiles and shares as they were asked for.
struct surfaces {
  std::vector<segloss_surface_result> classes;
  std::vector<double> all_percentiles;                // [class][percentile]
  std::vector<segloss_tolerance_shares> all_shares;   // [class][tolerance]

  // Those of one class.
  span<const double> percentiles(std::size_t of_class) const noexcept {
    return part(all_percentiles, of_class);
  }
  span<const segloss_tolerance_shares> shares(std::size_t of_class) const noexcept {
    return part(all_shares, of_class);
  }

 private:
  template <class T>
  span<const T> part(const std::vector<T>& all, std::size_t of_class) const noexcept {
    const std::size_t each = classes.empty() ? 0 : all.size() / classes.size();
    return {all.data() + of_class * each, each};
  }
};

// Computes surface metrics in scratch memory that it keeps. One per thread.
class surface_metrics {
 public:
  // Model, convention of percentiles, whether class 0 is evaluated, values of the undefined, SIMD
  // level; the lists are set from those below.
  segloss_surface_options options{};
  std::vector<double> percentiles;  // from 0 to 100
  std::vector<double> tolerances;   // in the unit of the spacing

  // Surfels come with the convention that they need.
  explicit surface_metrics(std::vector<double> wanted_percentiles = {},
                           std::vector<double> wanted_tolerances = {},
                           std::uint32_t model = SEGLOSS_SURFACE_VOXEL)
      : percentiles(std::move(wanted_percentiles)), tolerances(std::move(wanted_tolerances)) {
    require(segloss_surface_options_init(&options, sizeof options));
    options.model = model;
    if (model == SEGLOSS_SURFACE_SURFEL) options.convention = SEGLOSS_PERCENTILE_AREA_WEIGHTED;
  }

  surfaces evaluate(const label_pair& pair, const executor& threads = {}) {
    surfaces result;
    resize(pair, result);
    segloss_detail detail{};
    std::exception_ptr failure;
    const segloss_status status = evaluate_into(pair, threads, result, detail, failure);
    internal::conclude(status, detail, failure);
    return result;
  }

  // Without exceptions, into the memory of an earlier result: the status, and what was refused.
  // Memory that cannot be had is SEGLOSS_STATUS_SCRATCH_SIZE.
  segloss_status try_evaluate(const label_pair& pair, const executor& threads, surfaces& result,
                              segloss_detail& detail) noexcept {
    try {
      resize(pair, result);
    } catch (const std::exception&) {
      detail = internal::refusal(SEGLOSS_STATUS_SCRATCH_SIZE, SEGLOSS_ARGUMENT_RESULT,
                                 result.classes.size(), pair.classes());
      return detail.status;
    }
    std::exception_ptr lost;
    return evaluate_into(pair, threads, result, detail, lost);
  }

  // Valid while the lists are neither changed nor destroyed.
  segloss_surface_options view() const noexcept {
    segloss_surface_options viewed = options;
    viewed.percentiles = {percentiles.data(), percentiles.size()};
    viewed.tolerances = {tolerances.data(), tolerances.size()};
    return viewed;
  }

 private:
  void resize(const label_pair& pair, surfaces& result) const {
    result.classes.resize(pair.classes());
    result.all_percentiles.resize(pair.classes() * percentiles.size());
    result.all_shares.resize(pair.classes() * tolerances.size());
  }

  segloss_status evaluate_into(const label_pair& pair, const executor& threads, surfaces& result,
                               segloss_detail& detail, std::exception_ptr& failure) noexcept {
    const segloss_surface_options viewed = view();
    return memory_.try_call(
        threads, detail, failure,
        [&](auto workers, auto bytes, auto where) {
          return segloss_surface_scratch_size(&viewed, &pair.view(), workers, bytes, where);
        },
        [&](auto scratch, auto lent, auto where) {
          return segloss_surface_metrics(
              &viewed, &pair.view(), result.classes.data(), result.classes.size(),
              result.all_percentiles.data(), result.all_percentiles.size(),
              result.all_shares.data(), result.all_shares.size(), scratch, lent, where);
        });
  }

  internal::memory memory_;
};

}  // namespace segloss
