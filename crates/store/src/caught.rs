//! A panic in somebody else's code is that code's failure, not the end of the loop that called it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use crate::events::Failure;

/// Runs `work`; a panic in it is given back as an error.
pub(crate) async fn caught<T>(work: impl Future<Output = T>) -> std::thread::Result<T> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// Runs a subscriber, job or sweep; a panic in it counts as a failure that may go away.
pub(crate) async fn calmly<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    caught(work).await.unwrap_or_else(|panic| Err(Failure::Again(format!("it panicked: {}", words(&*panic)))))
}

fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a word")
}
