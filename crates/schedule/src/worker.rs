//! Keeps the board fresh.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::board::Board;

/// The pause between two looks: with the time that a look and a rendering take, answers stay below a second of age.
const PAUSE: Duration = Duration::from_millis(300);

/// Looks at the database a few times a second until `stop`. A failure is told once; reading goes on from memory meanwhile.
pub async fn run(board: Board, stop: CancellationToken) {
    let mut failing = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
            () = board.woken() => {}
        }
        match board.refresh().await {
            Ok(()) if failing => {
                tracing::info!("availability in memory is up to date again");
                failing = false;
            }
            Ok(()) => {}
            Err(error) => {
                metrics::counter!("schedule_board_failures").increment(1);
                if !failing {
                    tracing::warn!(%error, "availability in memory could not be brought up to date; what was known is shown");
                }
                failing = true;
            }
        }
    }
}
