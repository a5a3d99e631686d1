//! The caller's parallel-for as an [`Executor`].

use super::types::segloss_executor;
use crate::error::{Argument, Cause, Error};
use crate::executor::{Executor, Sequential};
use core::ffi::c_void;

/// A caller's executor that has a function.
struct Foreign<'a> {
    executor: &'a segloss_executor,
    parallel_for: unsafe extern "C" fn(*mut c_void, u64, super::types::segloss_task, *mut c_void),
}

type Task<'t> = &'t (dyn Fn(usize) + Sync);

/// What the caller's threads call.
///
/// # Safety
/// `state` must be what [`Foreign::run`] handed out, and that call must not have returned.
unsafe extern "C" fn enter(state: *mut c_void, index: u64) {
    if state.is_null() {
        return;
    }
    // SAFETY: `run` made it from a reference to a `Task`, which it keeps until it returns.
    let task: &Task<'_> = unsafe { &*state.cast_const().cast() };
    if let Ok(index) = usize::try_from(index) {
        task(index);
    }
}

impl Executor for Foreign<'_> {
    fn workers(&self) -> usize {
        usize::try_from(self.executor.workers).unwrap_or(usize::MAX)
    }

    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        let task: Task<'_> = task;
        let state = (&raw const task).cast_mut().cast();
        // SAFETY: the caller promises that its function calls the task only while it runs.
        unsafe { (self.parallel_for)(self.executor.context, tasks as u64, Some(enter), state) }
    }
}

/// Runs `call` with the caller's executor, or without threads for null.
pub(super) fn with_executor<T>(
    executor: Option<&segloss_executor>,
    call: impl FnOnce(&dyn Executor) -> Result<T, Error>,
) -> Result<T, Error> {
    let Some(executor) = executor else {
        return call(&Sequential);
    };
    let Some(parallel_for) = executor.parallel_for else {
        return Err(Error::new(Cause::NullPointer, Argument::Executor));
    };
    call(&Foreign { executor, parallel_for })
}
