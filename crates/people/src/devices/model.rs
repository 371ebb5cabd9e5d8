//! The words of devices.

use ::store::value::{FromRow, Row};
use base::UnixMs;
use edge::{DeviceId, DeviceKind};

store::text_enum! {
    /// What a device shows.
    #[derive(utoipa::ToSchema)]
    #[schema(as = DeviceView)]
    pub enum View {
        /// The waiting room of an area: who is called, who is next.
        #[schema(rename = "area")]
        Area = "area",
        /// The door of one room.
        #[schema(rename = "door")]
        Door = "door",
        /// How many wait where, department by department.
        #[schema(rename = "overview")]
        Overview = "overview",
        /// The specialists of the day, in the hall.
        #[schema(rename = "experts")]
        Experts = "experts",
        /// A kiosk: checking in, taking a number.
        #[schema(rename = "kiosk")]
        Kiosk = "kiosk",
    }
}

/// What a device shows, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Show {
    /// What.
    pub view: View,
    /// The id of the area or room; empty where the view needs none. What it names is another capability's to know: an id that is not there
    /// any more shows as such on the screen.
    pub of: String,
}

/// The longest id that a view may be of.
const LONGEST: usize = 64;

impl Show {
    /// What a device is to show, if that can be.
    #[must_use]
    pub fn parse(view: View, of: &str) -> Option<Self> {
        let plain =
            of.len() <= LONGEST && of.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        let needs_one = matches!(view, View::Area | View::Door);
        (plain && !(needs_one && of.is_empty())).then(|| Self { view, of: of.to_owned() })
    }

    /// What a device that shows this may do.
    #[must_use]
    pub fn kind(&self) -> DeviceKind {
        if self.view == View::Kiosk { DeviceKind::Kiosk } else { DeviceKind::Screen }
    }
}

/// A device.
#[derive(Debug, Clone)]
pub struct DeviceRecord {
    /// Which.
    pub id: DeviceId,
    /// What it may do.
    pub kind: DeviceKind,
    /// What staff call it: "East hall, left".
    pub name: String,
    /// What it shows.
    pub show: Show,
    /// Since when it is ours.
    pub added_at: UnixMs,
    /// When it was last heard of, give or take a minute; the moment of adding until it has been.
    pub seen_at: UnixMs,
}

impl FromRow for DeviceRecord {
    fn from_row(row: &Row) -> ::store::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            kind: row.get("kind")?,
            name: row.get("name")?,
            show: Show { view: row.get("view")?, of: row.get("view_of")? },
            added_at: row.get("added_at")?,
            seen_at: row.get("seen_at")?,
        })
    }
}

/// A name as it is kept: without spaces around it, 1 to 40 characters, no control characters.
#[must_use]
pub fn device_name(typed: &str) -> Option<String> {
    let name = typed.trim();
    let fits = (1..=40).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    fits.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_of_a_place_needs_the_place() {
        assert!(Show::parse(View::Area, "").is_none());
        assert!(Show::parse(View::Door, "").is_none());
        assert!(Show::parse(View::Door, "room 5").is_none());
        assert!(Show::parse(View::Door, &"x".repeat(65)).is_none());
        assert_eq!(Show::parse(View::Area, "are_1").unwrap().kind(), DeviceKind::Screen);
        assert_eq!(Show::parse(View::Kiosk, "").unwrap().kind(), DeviceKind::Kiosk);
        assert_eq!(Show::parse(View::Overview, "").unwrap().kind(), DeviceKind::Screen);
    }

    #[test]
    fn names_are_short_and_plain() {
        assert_eq!(device_name(" 东厅 左 ").as_deref(), Some("东厅 左"));
        for bad in ["", "  ", "a\nb", &"长".repeat(41)] {
            assert_eq!(device_name(bad), None, "{bad}");
        }
    }
}
