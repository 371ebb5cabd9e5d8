//! Where people of the demonstration hospital wait: a waiting room for each department, a room and a line for each doctor, a
//! laboratory, a pharmacy and an optician.

use base::{HospitalId, Text2};
use queue::model::{Area, PolicyName, Queue, QueueKind, QueueState, Room};
use queue::{AreaId, QueueId, RoomId, setup};
use schedule::{CampusId, DepartmentId};
use store::Tx;

use super::{Sitting, words};

/// Where the hospital is: people who are within so many metres can check in by position.
const CIRCLE: (i64, i64, i64) = (31_230_400, 121_473_700, 300);

/// Makes everything; what is there already stays as it is.
pub(super) async fn plan(
    tx: &mut Tx,
    h: HospitalId,
    departments: &[(&str, DepartmentId)],
    sittings: &[Sitting],
    main: CampusId,
) -> anyhow::Result<()> {
    for (at, (zh, department)) in (0_u8..).zip(departments) {
        let of = words::DEPARTMENTS.iter().find(|d| d.zh == *zh).filter(|d| d.doctors > 0);
        let Some(words) = of else { continue };
        let floor = at % 4 + 1;
        let area = Area {
            id: AreaId::new(),
            code: format!("{}-{}", words.code, words.initials),
            campus: Some(main),
            name: Text2::new(format!("{zh}候诊区"), format!("{} waiting area", words.en)),
            way: Text2::new(
                format!("门诊楼 {floor} 层，出电梯左转"),
                format!("Outpatient building, floor {floor}, left of the lifts"),
            ),
            circle: Some(CIRCLE),
            epoch: 1,
            version: 1,
        };
        if !setup::add_area(tx, h, &area).await? {
            continue;
        }
        let prefix = char::from(b'A' + at % 26).to_string();
        for sitting in sittings.iter().filter(|s| s.department == *department) {
            let number = 201 + sitting.number;
            let room = Room {
                id: RoomId::new(),
                area: area.id,
                code: number.to_string(),
                name: Text2::new(format!("{number} 诊室"), format!("Room {number}")),
                version: 1,
            };
            setup::add_room(tx, h, &room).await?;
            let queue = Queue {
                department: Some(*department),
                doctor: Some(sitting.doctor),
                ..line(
                    &format!("D{:03}", sitting.number + 1),
                    QueueKind::Clinic,
                    &area,
                    Text2::new(*zh, words.en),
                )
            };
            let queue = Queue { prefix: prefix.clone(), ..queue };
            setup::add_queue(tx, h, &queue, &[room.id]).await?;
        }
    }
    windows(tx, h, main).await
}

/// Windows that serve one line together.
async fn windows(tx: &mut Tx, h: HospitalId, main: CampusId) -> anyhow::Result<()> {
    for (code, prefix, kind, zh, en, count) in [
        ("LAB", "L", QueueKind::Lab, "采血处", "Blood tests", 3_u8),
        ("PHARMACY", "P", QueueKind::Pharmacy, "门诊药房", "Pharmacy", 2),
        ("OPTICIAN", "G", QueueKind::Optician, "视光中心", "Optician", 1),
    ] {
        let area = Area {
            id: AreaId::new(),
            code: code.into(),
            campus: Some(main),
            name: Text2::new(zh, en),
            way: Text2::new("门诊楼 1 层大厅右侧", "Outpatient building, ground floor, right of the hall"),
            circle: Some(CIRCLE),
            epoch: 1,
            version: 1,
        };
        if !setup::add_area(tx, h, &area).await? {
            continue;
        }
        let mut rooms = Vec::new();
        for n in 1..=count {
            let room = Room {
                id: RoomId::new(),
                area: area.id,
                code: format!("{code}-{n}"),
                name: Text2::new(format!("{n} 号窗口"), format!("Window {n}")),
                version: 1,
            };
            setup::add_room(tx, h, &room).await?;
            rooms.push(room.id);
        }
        let queue = Queue { prefix: prefix.into(), ..line(code, kind, &area, Text2::new(zh, en)) };
        setup::add_queue(tx, h, &queue, &rooms).await?;
    }
    Ok(())
}

fn line(code: &str, kind: QueueKind, area: &Area, name: Text2) -> Queue {
    let clinic = kind == QueueKind::Clinic;
    Queue {
        id: QueueId::new(),
        code: code.into(),
        kind,
        name,
        prefix: String::new(),
        area: Some(area.id),
        department: None,
        doctor: None,
        policy: if clinic { PolicyName::Clinic } else { PolicyName::FirstCome },
        service_seconds: if clinic { 420 } else { 120 },
        state: QueueState::Open,
        paused_until: None,
        note: None,
        active: true,
        version: 1,
    }
}
