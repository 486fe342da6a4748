//! Threads that answer: a task runs on one of them to its end.
//!
//! The pool has no queue of its own to speak of: the main loop hands a task over only when a thread is
//! free, so that what waits holds no copy of the database and can still be taken back.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Bytes of a thread's stack: parsing and elaboration grow theirs where they go deep.
const STACK_BYTES: usize = 16 << 20;

type Task = Box<dyn FnOnce() + Send>;

/// The threads.
pub(super) struct Pool {
    tasks: Sender<Task>,
    n_threads: usize,
}

impl Pool {
    /// As many threads as the machine runs at once, at least 2 and at most 8.
    pub(super) fn new() -> Pool {
        let n_threads = thread::available_parallelism().map_or(2, |it| it.get().clamp(2, 8));
        let (tasks, queue) = mpsc::channel::<Task>();
        let queue = Arc::new(Mutex::new(queue));
        for n in 0..n_threads {
            let queue = Arc::clone(&queue);
            thread::Builder::new()
                .name(format!("worker {n}"))
                .stack_size(STACK_BYTES)
                .spawn(move || work(&queue))
                .expect("the system starts a thread");
        }
        Pool { tasks, n_threads }
    }

    pub(super) fn n_threads(&self) -> usize {
        self.n_threads
    }

    /// Runs a task, which never panics.
    pub(super) fn run(&self, task: impl FnOnce() + Send + 'static) {
        self.tasks.send(Box::new(task)).expect("workers live as long as the pool");
    }
}

fn work(queue: &Mutex<Receiver<Task>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(task) => task(),
            Err(_) => return,
        }
    }
}
