//! Both days as a picture (SVG): how many wait at each moment of the day, and how long people waited.

use std::fmt::Write as _;

use super::plan::{HOUR, MINUTE};
use super::play::Stay;

/// The day that is drawn: seconds.
const FROM: u32 = 6 * HOUR;
const TO: u32 = 19 * HOUR;
/// How many wait is looked at so often.
const LOOK: u32 = 5 * MINUTE;
/// Waits are counted in parts of so many minutes, the last with all that are longer.
const PART: u32 = 10;
const PARTS: usize = 24;
/// Without appointments, and with them.
const COLOURS: [&str; 2] = ["#c4653a", "#1f7a5c"];
const NAMES: [(&str, &str); 2] = [("现场取号", "take a number"), ("预约分时段", "with appointments")];

/// How many wait for their first call, every five minutes of the day.
pub(super) fn waiting(stays: &[Stay]) -> Vec<u32> {
    let mut all = Vec::new();
    let mut at = FROM;
    while at <= TO {
        let waits =
            |stay: &&Stay| stay.arrived.is_some_and(|a| a <= at) && stay.called.is_none_or(|c| c > at);
        all.push(u32::try_from(stays.iter().filter(waits).count()).unwrap_or(u32::MAX));
        at += LOOK;
    }
    all
}

/// How many waited for how long.
fn lengths(stays: &[Stay]) -> Vec<u32> {
    let mut parts = vec![0; PARTS];
    for stay in stays {
        let (Some(arrived), Some(called)) = (stay.arrived, stay.called) else { continue };
        let part = usize::try_from((called - arrived) / MINUTE / PART).unwrap_or(PARTS);
        if let Some(part) = parts.get_mut(part.min(PARTS - 1)) {
            *part += 1;
        }
    }
    parts
}

/// Where the frame of a diagram lies.
struct Frame {
    top: f64,
    most: f64,
}

const LEFT: f64 = 70.0;
const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 220.0;

impl Frame {
    fn y(&self, value: u32) -> f64 {
        self.top + HEIGHT - HEIGHT * f64::from(value) / self.most.max(1.0)
    }

    /// The lines behind, with their values.
    fn ground(&self, svg: &mut String, title: &str) {
        let _ = write!(svg, "<text x=\"{LEFT}\" y=\"{:.0}\" class=\"title\">{title}</text>", self.top - 16.0);
        for part in 0..=4 {
            let value = self.most * f64::from(part) / 4.0;
            let y = self.top + HEIGHT - HEIGHT * f64::from(part) / 4.0;
            let _ = write!(
                svg,
                "<path d=\"M{LEFT} {y:.1}h{WIDTH}\" class=\"ground\"/><text x=\"{:.0}\" y=\"{:.1}\" class=\"end\">{value:.0}</text>",
                LEFT - 8.0,
                y + 4.0
            );
        }
    }

    fn under(&self, svg: &mut String, x: f64, text: &str) {
        let y = self.top + HEIGHT + 20.0;
        let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"middle\">{text}</text>");
    }
}

/// Draws both.
pub(super) fn draw(without: &[Stay], with: &[Stay]) -> String {
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 980 640\" font-family=\"sans-serif\" font-size=\"13\">\
         <style>.title{font-size:16px;font-weight:600}.ground{stroke:#d8d8d4;fill:none}.end{text-anchor:end}\
         .middle{text-anchor:middle}text{fill:#333}</style><rect width=\"980\" height=\"640\" fill=\"#fff\"/>",
    );
    for (nth, ((zh, en), colour)) in (0_u8..).zip(NAMES.iter().zip(COLOURS)) {
        let x = 560.0 + 200.0 * f64::from(nth);
        let _ = write!(
            svg,
            "<rect x=\"{x}\" y=\"24\" width=\"14\" height=\"14\" rx=\"2\" fill=\"{colour}\"/><text x=\"{:.0}\" y=\"36\">{zh} {en}</text>",
            x + 20.0
        );
    }
    let lines = [waiting(without), waiting(with)];
    let most = lines.iter().flatten().max().copied().unwrap_or(1);
    let frame = Frame { top: 70.0, most: nice(most) };
    frame.ground(&mut svg, "候诊人数 · people waiting");
    let x_of = |second: u32| LEFT + WIDTH * f64::from(second - FROM) / f64::from(TO - FROM);
    for hour in (FROM / HOUR..=TO / HOUR).step_by(2) {
        frame.under(&mut svg, x_of(hour * HOUR), &format!("{hour}:00"));
    }
    for (line, colour) in lines.iter().zip(COLOURS) {
        let points: Vec<String> = (0_u32..)
            .zip(line)
            .map(|(nth, value)| format!("{:.1},{:.1}", x_of(FROM + nth * LOOK), frame.y(*value)))
            .collect();
        let _ = write!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>",
            points.join(" ")
        );
    }
    let bars = [lengths(without), lengths(with)];
    let most = bars.iter().flatten().max().copied().unwrap_or(1);
    let frame = Frame { top: 370.0, most: nice(most) };
    frame.ground(&mut svg, "等候时间（分钟）· minutes waited, number of people");
    let step = WIDTH / f64::from(u32::try_from(PARTS).unwrap_or(1));
    for (nth, (bars, colour)) in (0_u8..).zip(bars.iter().zip(COLOURS)) {
        for (at, value) in (0_u32..).zip(bars) {
            let x = LEFT + step * f64::from(at) + 3.0 + f64::from(nth) * (step / 2.0 - 3.0);
            let y = frame.y(*value);
            let _ = write!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>",
                step / 2.0 - 3.0,
                frame.top + HEIGHT - y
            );
        }
    }
    for part in (0..=u32::try_from(PARTS).unwrap_or(0)).step_by(3) {
        frame.under(&mut svg, LEFT + step * f64::from(part), &(part * PART).to_string());
    }
    svg.push_str("</svg>\n");
    svg
}

/// The next number of people that divides well by four.
fn nice(most: u32) -> f64 {
    let mut scale = 4.0;
    for factor in [1.0, 2.0, 5.0].iter().cycle().zip(0_i32..) {
        scale = 4.0 * factor.0 * 10.0_f64.powi(factor.1 / 3);
        if scale >= f64::from(most) {
            break;
        }
    }
    scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_wait_are_counted_until_they_are_called() {
        let stay = |arrived, called| {
            let mut stay = Stay::default();
            (stay.arrived, stay.called) = (Some(arrived), called);
            stay
        };
        let stays = [stay(FROM, Some(FROM + LOOK)), stay(FROM + LOOK, None), Stay::default()];
        assert_eq!(waiting(&stays)[..3], [1, 1, 1]);
        assert_eq!(lengths(&stays)[0], 1);
        let svg = draw(&stays, &stays);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn scales_are_round() {
        assert_eq!((nice(3), nice(5), nice(700), nice(1_900)), (4.0, 8.0, 800.0, 2_000.0));
    }
}
