//! The library's tasks on the threads of rayon.

use rayon::prelude::*;
use segloss::Executor;

/// The pool that the caller runs in.
pub(crate) struct Pool;

impl Executor for Pool {
    fn workers(&self) -> usize {
        rayon::current_num_threads()
    }

    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        (0..tasks).into_par_iter().for_each(task);
    }
}
