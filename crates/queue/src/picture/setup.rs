//! Areas, rooms and lines of a hospital in memory.

use std::collections::HashMap;

use base::HospitalId;
use store::{Db, Result};

use crate::model::{Area, AreaId, Queue, QueueId, Room, RoomId};
use crate::store::setup as sql;

/// What is set up.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// The areas, by their codes.
    pub areas: Vec<Area>,
    /// The rooms, by their codes.
    pub rooms: Vec<Room>,
    /// The lines, by their codes.
    pub queues: Vec<Queue>,
    served_in: HashMap<QueueId, Vec<RoomId>>,
}

impl Setup {
    pub(super) async fn read(db: &Db, h: HospitalId) -> Result<Self> {
        let mut served_in: HashMap<QueueId, Vec<RoomId>> = HashMap::new();
        for (queue, room) in sql::pairs(db, h).await? {
            served_in.entry(queue).or_default().push(room);
        }
        for rooms in served_in.values_mut() {
            rooms.sort();
        }
        let (areas, rooms) = (sql::areas(db, h).await?, sql::rooms(db, h).await?);
        Ok(Self { areas, rooms, queues: sql::queues(db, h).await?, served_in })
    }

    /// An area.
    #[must_use]
    pub fn area(&self, id: AreaId) -> Option<&Area> {
        self.areas.iter().find(|a| a.id == id)
    }

    /// A room.
    #[must_use]
    pub fn room(&self, id: RoomId) -> Option<&Room> {
        self.rooms.iter().find(|r| r.id == id)
    }

    /// A line.
    #[must_use]
    pub fn queue(&self, id: QueueId) -> Option<&Queue> {
        self.queues.iter().find(|q| q.id == id)
    }

    /// In which rooms a line is served.
    #[must_use]
    pub fn rooms_of(&self, queue: &Queue) -> Vec<&Room> {
        match self.served_in.get(&queue.id) {
            Some(ids) => ids.iter().filter_map(|id| self.room(*id)).collect(),
            None => Vec::new(),
        }
    }

    /// Which lines are served in a room.
    #[must_use]
    pub fn queues_in(&self, room: RoomId) -> Vec<&Queue> {
        let here = |q: &&Queue| self.served_in.get(&q.id).is_some_and(|rooms| rooms.contains(&room));
        self.active().filter(here).collect()
    }

    /// The lines whose people wait in an area.
    #[must_use]
    pub fn queues_at(&self, area: AreaId) -> Vec<&Queue> {
        self.active().filter(|q| q.area == Some(area)).collect()
    }

    /// The lines in use.
    pub fn active(&self) -> impl Iterator<Item = &Queue> {
        self.queues.iter().filter(|q| q.active)
    }
}
