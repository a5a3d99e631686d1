//! The caller's parallel-for.
//!
//! The library starts no thread. It cuts its work into tasks and hands them to an [`Executor`];
//! results are the same bits whatever the order and wherever the tasks run.
#![forbid(unsafe_code)]

use crate::error::{Argument, Cause, Error};
use crate::scratch::{Carver, Requirement};
use core::hint::spin_loop;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Runs independent tasks, in any order, on any threads.
///
/// ```
/// use segloss::Executor;
///
/// /// Two scoped threads, odd and even tasks.
/// struct TwoThreads;
/// impl Executor for TwoThreads {
///     fn workers(&self) -> usize {
///         2
///     }
///     fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
///         std::thread::scope(|scope| {
///             scope.spawn(|| (0..tasks).step_by(2).for_each(task));
///             scope.spawn(|| (1..tasks).step_by(2).for_each(task));
///         });
///     }
/// }
/// ```
pub trait Executor {
    /// How many tasks may run at once; scratch grows with it. More threads than that are safe:
    /// they wait for each other. At most [`MAX_WORKERS`] are used.
    fn workers(&self) -> usize;

    /// Calls `task(i)` once for every `i < tasks` and returns when all are done. A task that is left
    /// out runs on the calling thread afterwards, a second call of one does nothing. It is not asked
    /// to run a single task.
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync));
}

/// Most tasks that the library lets run at once.
pub const MAX_WORKERS: usize = 1024;

/// Everything on the calling thread.
///
/// ```
/// use segloss::{Executor, Sequential};
/// assert_eq!(Sequential.workers(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequential;

impl Executor for Sequential {
    fn workers(&self) -> usize {
        1
    }

    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        for index in 0..tasks {
            task(index);
        }
    }
}

/// Workers that an executor is given scratch for.
pub(crate) fn worker_count(executor: &(impl Executor + ?Sized)) -> usize {
    executor.workers().clamp(1, MAX_WORKERS)
}

/// Which workers' scratch is in use, one bit each.
pub(crate) struct Seats {
    taken: [AtomicU64; MAX_WORKERS / 64],
    workers: usize,
}

impl Seats {
    pub(crate) fn new(workers: usize) -> Self {
        Self { taken: [const { AtomicU64::new(0) }; MAX_WORKERS / 64], workers }
    }

    /// Takes a free seat; waits for one if there are more threads than workers.
    pub(crate) fn take(&self) -> Seat<'_> {
        loop {
            for (group, word) in self.taken.iter().enumerate() {
                let first = group * 64;
                if first >= self.workers {
                    break;
                }
                let free = !word.load(Ordering::Relaxed);
                let bit = free.trailing_zeros() as usize;
                if free == 0 || first + bit >= self.workers {
                    continue;
                }
                let mask = 1u64 << (bit % 64);
                // Acquire: what the last holder wrote into this worker's scratch is visible.
                if word.fetch_or(mask, Ordering::Acquire) & mask == 0 {
                    return Seat { word, mask, worker: first + bit };
                }
            }
            spin_loop();
        }
    }
}

/// A worker's scratch, held until dropped.
pub(crate) struct Seat<'a> {
    word: &'a AtomicU64,
    mask: u64,
    worker: usize,
}

impl Seat<'_> {
    pub(crate) fn worker(&self) -> usize {
        self.worker
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.word.fetch_and(!self.mask, Ordering::Release);
    }
}

/// Lets every task run once: a second run of the same index is refused.
///
/// This is what makes writing to a task's own part of a buffer sound, whatever the executor does.
pub(crate) struct Claims<'s> {
    taken: &'s [AtomicU64],
    tasks: usize,
    done: AtomicU64,
}

/// Proof that a task runs for the first time.
pub(crate) struct Claim {
    task: usize,
}

impl Claim {
    pub(crate) fn task(&self) -> usize {
        self.task
    }
}

impl<'s> Claims<'s> {
    pub(crate) fn requirement(tasks: usize) -> Requirement {
        Requirement::of::<AtomicU64>(tasks.div_ceil(64))
    }

    pub(crate) fn new(tasks: usize, scratch: &mut Carver<'s>) -> Result<Self, Error> {
        let taken = scratch.take::<AtomicU64>(tasks.div_ceil(64))?;
        let mut claims = Self { taken, tasks, done: AtomicU64::new(0) };
        claims.reset();
        Ok(claims)
    }

    /// Lets every task run once more.
    pub(crate) fn reset(&mut self) {
        for word in self.taken {
            word.store(0, Ordering::Relaxed);
        }
        self.done = AtomicU64::new(0);
    }

    /// `None` if the task does not exist or was claimed before.
    pub(crate) fn claim(&self, task: usize) -> Option<Claim> {
        if task >= self.tasks {
            return None;
        }
        let mask = 1u64 << (task % 64);
        let before = self.taken.get(task / 64)?.fetch_or(mask, Ordering::Relaxed);
        (before & mask == 0).then_some(Claim { task })
    }

    /// Notes that a claimed task has ended.
    pub(crate) fn finished(&self, claim: Claim) {
        let Claim { .. } = claim;
        // Release and acquire: who sees all tasks done sees what they wrote.
        self.done.fetch_add(1, Ordering::Release);
    }

    /// The claim of a task that has run, to run it once more when no other does.
    pub(crate) fn again(&self, task: usize) -> Option<Claim> {
        (self.complete() && task < self.tasks).then_some(Claim { task })
    }

    /// Whether every task has run.
    pub(crate) fn complete(&self) -> bool {
        self.done.load(Ordering::Acquire) == self.tasks as u64
    }
}

/// Runs every task once, on the calling thread what the executor leaves out; the error of the
/// first task that has one comes back.
pub(crate) fn run_tasks(
    tasks: usize,
    claims: &Claims<'_>,
    executor: &dyn Executor,
    work: &(dyn Fn(&Claim) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    let first_failure = AtomicUsize::new(usize::MAX);
    let run = |task| {
        let Some(claim) = claims.claim(task) else { return };
        if work(&claim).is_err() {
            first_failure.fetch_min(task, Ordering::Relaxed);
        }
        claims.finished(claim);
    };
    // There is nothing to share in one task: many small volumes would wake threads for it.
    if tasks > 1 {
        executor.run(tasks, &run);
    }
    // What the executor has left out.
    (0..tasks).for_each(run);
    if !claims.complete() {
        return Err(Error::new(Cause::Executor, Argument::Executor).expected(tasks as f64));
    }
    match claims.again(first_failure.load(Ordering::Relaxed)) {
        // It fails again, and says why.
        Some(claim) => work(&claim),
        None => Ok(()),
    }
}
