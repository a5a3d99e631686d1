//! The rows of a volume as tasks of the caller's executor.
#![forbid(unsafe_code)]

use crate::error::Error;
use crate::executor::{Claims, Executor, run_tasks};
use crate::scratch::Carver;
use crate::surface::BitVolume;
use core::ops::Range;

/// Tasks of a volume, at most, and words of each, at least.
const TASKS: usize = 64;
const TASK_WORDS: usize = 1024;

/// Tasks for volumes of some sizes.
pub(super) fn task_count(sizes: [usize; 3]) -> usize {
    BitVolume::len(sizes).div_ceil(TASK_WORDS).clamp(1, TASKS)
}

/// Runs a task for every part of the rows of a volume; scratch holds its claims.
pub(super) fn run_rows(
    [planes, rows, length]: [usize; 3],
    scratch: &mut Carver<'_>,
    executor: &dyn Executor,
    work: &(dyn Fn(usize, Range<usize>) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    let (tasks, all) = (task_count([planes, rows, length]), planes * rows);
    let each = all.div_ceil(tasks);
    let claims = Claims::new(tasks, scratch)?;
    run_tasks(tasks, &claims, executor, &|claim| {
        let begin = claim.task() * each;
        work(claim.task(), begin.min(all)..(begin + each).min(all))
    })
}
