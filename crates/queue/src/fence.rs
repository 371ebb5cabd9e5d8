//! Is somebody here? By the position that their phone reports, with the accuracy that it claims.

use crate::settings::Settings;

/// Metres in a degree of latitude.
const DEGREE_M: f64 = 111_320.0;

/// A position as a phone reports it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// The phone believes to be within so many metres of it.
    pub accuracy_m: f64,
}

impl Position {
    /// Whether these are numbers that a phone can have meant.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        (-90.0..=90.0).contains(&self.latitude)
            && (-180.0..=180.0).contains(&self.longitude)
            && (0.0..=1e7).contains(&self.accuracy_m)
    }
}

/// What a position says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// They are here.
    Inside,
    /// They are so many metres from the edge.
    Outside(f64),
    /// The phone does not know it well enough: staff or the code at the place decide.
    Vague,
}

/// Whether `position` is in the circle: latitude and longitude in millionths of a degree and a radius in metres. The benefit of
/// the phone's doubt goes to the person, up to what the hospital allows.
#[must_use]
pub fn look(position: Position, circle: (i64, i64, i64), settings: &Settings) -> Verdict {
    let most = f64::from(settings.vague_from_m);
    if position.accuracy_m > most {
        return Verdict::Vague;
    }
    let (latitude, longitude) = (degrees(circle.0), degrees(circle.1));
    let radius = f64::from(i32::try_from(circle.2).unwrap_or(0));
    let north = (position.latitude - latitude) * DEGREE_M;
    let mut turn = (position.longitude - longitude).abs();
    if turn > 180.0 {
        turn = 360.0 - turn;
    }
    let east = turn * DEGREE_M * latitude.to_radians().cos();
    let outside = north.hypot(east) - radius - position.accuracy_m;
    if outside <= 0.0 { Verdict::Inside } else { Verdict::Outside(outside) }
}

fn degrees(millionths: i64) -> f64 {
    f64::from(i32::try_from(millionths).unwrap_or(0)) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: (i64, i64, i64) = (31_230_400, 121_473_700, 120);

    fn at(latitude: f64, longitude: f64, accuracy_m: f64) -> Verdict {
        look(Position { latitude, longitude, accuracy_m }, HERE, &Settings::default())
    }

    #[test]
    fn the_doubt_is_the_persons() {
        assert_eq!(at(31.2304, 121.4737, 20.0), Verdict::Inside);
        // 200 m north: outside by 80 m, unless the phone is that unsure.
        assert!(matches!(at(31.2322, 121.4737, 30.0), Verdict::Outside(m) if (45.0..55.0).contains(&m)));
        assert_eq!(at(31.2322, 121.4737, 100.0), Verdict::Inside);
        assert_eq!(at(31.2304, 121.4737, 151.0), Verdict::Vague);
        assert!(matches!(at(-31.0, -58.5, 100.0), Verdict::Outside(m) if m > 1e6));
    }

    #[test]
    fn the_date_line_is_no_wall() {
        let fiji = (-17_000_000, 179_999_500, 200);
        let position = Position { latitude: -17.0, longitude: -179.999_5, accuracy_m: 10.0 };
        assert_eq!(look(position, fiji, &Settings::default()), Verdict::Inside);
    }

    #[test]
    fn nonsense_is_none() {
        for (latitude, accuracy_m) in [(f64::NAN, 1.0), (91.0, 1.0), (0.0, -1.0), (0.0, f64::INFINITY)] {
            assert!(!Position { latitude, longitude: 0.0, accuracy_m }.is_sound());
        }
    }
}
