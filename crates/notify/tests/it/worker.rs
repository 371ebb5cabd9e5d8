//! The worker as it runs.

use std::time::{Duration, Instant};

use notify::Kind;
use notify::worker::{backlog, run};

use crate::support::{World, each_world, each_world_in_real_time};

/// Waits until something holds; a deadline instead of a guess.
async fn until(what: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !what() {
        assert!(Instant::now() < deadline, "it did not come about in time");
        tokio::task::yield_now().await;
    }
}

fn start(w: &World) -> (tokio_util::sync::CancellationToken, tokio::task::JoinHandle<()>) {
    let stop = tokio_util::sync::CancellationToken::new();
    (stop.clone(), tokio::spawn(run(w.deps.clone(), stop)))
}

#[tokio::test]
async fn it_sends_what_it_is_told_and_stops_when_asked() {
    each_world(async |w| {
        let account = w.follower("o1").await;
        w.told_of("apt_0", Kind::AppointmentConfirmed, account).await;
        assert_eq!(backlog(w.db()).await.unwrap().0, 1);
        w.pass(Duration::from_secs(7));
        assert_eq!(backlog(w.db()).await.unwrap(), (1, 7));
        let (stop, running) = start(&w);
        until(|| w.fake.templates().len() == 1).await;
        for n in 1..40 {
            w.told_of(&format!("apt_{n}"), Kind::AppointmentConfirmed, account).await;
        }
        until(|| w.fake.templates().len() == 40).await;
        let asked = Instant::now();
        stop.cancel();
        running.await.unwrap();
        assert!(asked.elapsed() < Duration::from_secs(8));
        // What was under way when it was asked to stop is written down.
        let sent = "SELECT CAST(COUNT(*) AS BIGINT) FROM message WHERE state = 'sent' AND due_at IS NULL";
        assert_eq!(w.number(sent).await, 40);
        assert_eq!(backlog(w.db()).await.unwrap(), (0, 0));
    })
    .await;
}

/// While the clock goes on: what is due is sent at the first look, by whichever way, and not put off by the time that
/// looking takes.
#[tokio::test]
async fn it_is_sent_at_the_first_look() {
    each_world_in_real_time(async |w| {
        let follower = w.follower("o1").await;
        w.told(Kind::AppointmentConfirmed, follower).await;
        let attempt = w.prepared().await;
        assert_eq!(attempt.channel(), notify::Channel::Template);
        let elsewhere = w.follower_with_phone("o2").await;
        w.unfollows("o2").await;
        w.told_of("apt_2", Kind::AppointmentConfirmed, elsewhere).await;
        assert_eq!(w.work().await, 1);
        assert_eq!(w.fake.texts().len(), 1);
    })
    .await;
}
