//! A morning that runs by itself: people come to the windows and to some doctors, and are called. So walls, doors and desks of the
//! demonstration show something that moves. It goes by the same steps as people at desks do.

use std::time::Duration;

use edge::{Actor, Caller, Role, Staff, StaffId};
use queue::{QueueDeps, QueueId, RoomId, hands};
use server::App;
use tokio_util::sync::CancellationToken;

use crate::seed::{HOSPITAL, name};

/// Something happens so often.
const BEAT: Duration = Duration::from_secs(4);
/// So many doctors take part; the others are left to whoever tries things out.
const DOCTORS: usize = 8;
/// So many wait in a line at most …
const MOST: usize = 7;
/// … and so many when the doors open.
const AT_FIRST: usize = 3;

/// A desk at which somebody calls.
struct Desk {
    staff: Staff,
    queue: QueueId,
}

/// Lets it run until `stop`.
pub(super) async fn run(deps: QueueDeps, caller: Caller, stop: CancellationToken) {
    let desks = match open(&deps, &caller).await {
        Ok(desks) => desks,
        Err(error) => {
            tracing::warn!(%error, "the demonstration's lines stand still");
            return;
        }
    };
    let mut beat = 0_usize;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(BEAT) => {}
        }
        beat += 1;
        let Some(desk) = desks.get(beat % desks.len().max(1)) else { return };
        let step = async {
            hands::next(&deps, &desk.staff).await?;
            // Three come for four who are called, more when few wait.
            let waiting = hands::waiting(&deps, &caller, desk.queue).await?;
            if waiting < MOST && (waiting < AT_FIRST || !beat.is_multiple_of(4)) {
                hands::walk_in(&deps, &caller, desk.queue, &name(beat * 3).zh).await?;
            }
            Ok::<_, base::Problem>(())
        };
        if let Err(problem) = step.await {
            tracing::debug!(code = problem.code, "nothing happened at a desk of the demonstration");
        }
    }
}

/// Sits somebody down at the desks, and lets the first people come.
async fn open(deps: &QueueDeps, caller: &Caller) -> Result<Vec<Desk>, base::Problem> {
    let setup = deps.pictures.setup(HOSPITAL).await?;
    let lines = |clinic: bool| {
        let some = setup.active().filter(move |q| q.doctor.is_some() == clinic);
        some.take(if clinic { DOCTORS } else { usize::MAX }).collect::<Vec<_>>()
    };
    let mut desks = Vec::new();
    for queue in lines(true).into_iter().chain(lines(false)) {
        for _ in 0..AT_FIRST {
            let number = desks.len() * 7 + 1;
            hands::walk_in(deps, caller, queue.id, &name(number).zh).await?;
        }
        let rooms: Vec<RoomId> = setup.rooms_of(queue).iter().map(|room| room.id).collect();
        for room in rooms {
            let id = StaffId::new();
            let roles = vec![Role::Nurse];
            let caller = Caller { actor: Actor::Staff(id, roles.clone()), ..caller.clone() };
            let staff = Staff { id, roles, caller };
            hands::sit(deps, &staff, room, vec![queue.id]).await?;
            desks.push(Desk { staff, queue: queue.id });
        }
    }
    Ok(desks)
}

/// What it needs of the program.
pub(super) fn parts(app: &App) -> Option<(QueueDeps, Caller)> {
    Some((app.queue.clone(), Caller::system(app.hospitals.get(HOSPITAL)?)))
}
