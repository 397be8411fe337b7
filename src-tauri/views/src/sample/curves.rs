//! The curves of the sample days.

use chrono::TimeDelta;
use domain::Usd;

use super::ct;
use crate::view::CurvePoint;

/// Corners of a day's curve: minutes since 8:00 AM CT and net dollars.
pub(super) type Corners = &'static [(i64, i64)];
pub(super) const MORNING: Corners = &[
    (0, 0),
    (34, 0),
    (41, -62),
    (55, 48),
    (70, -95),
    (82, -208),
    (100, -120),
    (122, -268),
    (140, -347),
    (148, -347),
    (162, -312),
];
pub(super) const MIDDAY: Corners = &[
    (0, 0),
    (34, 0),
    (41, -62),
    (55, 48),
    (70, -95),
    (82, -208),
    (100, -120),
    (122, -268),
    (140, -347),
    (170, -300),
    (200, -190),
    (228, -336),
    (255, -336),
    (262, -380),
    (269, -412),
];
pub(super) const AFTERNOON: Corners = &[
    (0, 0),
    (34, 0),
    (41, -62),
    (55, 48),
    (70, -95),
    (82, -208),
    (100, -120),
    (122, -268),
    (140, -347),
    (170, -300),
    (200, -190),
    (228, -336),
    (255, -330),
    (290, -250),
    (330, -398),
    (362, -420),
    (378, -455),
    (384, -501),
    (385, -512),
    (406, -512),
];
pub(super) const OUTAGE: Corners = &[
    (0, 0),
    (34, 0),
    (41, -62),
    (55, 48),
    (70, -95),
    (82, -208),
    (100, -120),
    (122, -268),
    (140, -347),
    (170, -300),
    (200, -190),
    (228, -286),
    (255, -270),
    (290, -250),
    (312, -227),
];
pub(super) const OBSERVED: Corners = &[
    (0, 0),
    (34, 0),
    (41, -62),
    (55, 48),
    (70, -95),
    (82, -208),
    (100, -120),
    (122, -268),
    (140, -397),
    (170, -350),
    (200, -430),
    (206, -501),
    (222, -548),
    (238, -548),
];

/// Straight lines between the corners with a little seeded noise, a point every three minutes.
pub(super) fn curve(corners: Corners, until_minute: i64) -> Vec<CurvePoint> {
    let mut noise = 7_i64;
    let mut points = vec![];
    for pair in corners.windows(2) {
        let ((from, start), (to, end)) = (pair[0], pair[1]);
        for minute in (from..to).step_by(3) {
            noise = noise * 16_807 % 2_147_483_647;
            let wobble = if start == end || minute == from { 0 } else { noise % 41 - 20 };
            points.push((minute, start + (end - start) * (minute - from) / (to - from) + wobble));
        }
    }
    points.extend(corners.last());
    points
        .into_iter()
        .filter(|(minute, _)| 8 * 60 + minute <= until_minute)
        .map(|(minute, net)| CurvePoint {
            at: ct(8, 0, 0) + TimeDelta::minutes(minute),
            net: Usd::from_cents(net * 100),
        })
        .collect()
}
