//! Executors that do their worst.

use super::random::Random;
use segloss::Executor;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Real threads that take tasks in an order of their own.
pub struct Shuffled {
    pub threads: usize,
    pub seed: u64,
}

impl Executor for Shuffled {
    fn workers(&self) -> usize {
        // Fewer seats than threads: they have to wait for each other.
        self.threads.div_ceil(2)
    }

    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        assert!(tasks > 1, "threads were started for nothing");
        let mut random = Random::new(self.seed);
        let mut order: Vec<usize> = (0..tasks).collect();
        for i in (1..tasks).rev() {
            order.swap(i, random.below(i + 1));
        }
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| {
                    while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                        task(index);
                    }
                });
            }
        });
    }
}

/// An executor that breaks its contract.
pub struct Careless {
    pub skip: Option<usize>,
    pub twice: bool,
}

impl Executor for Careless {
    fn workers(&self) -> usize {
        1
    }

    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        for index in (0..tasks).filter(|index| Some(*index) != self.skip) {
            task(index);
            if self.twice {
                task(index);
                task(tasks + index);
            }
        }
    }
}
