//! Tells of a change of the clocks, of Central Time or of the reader, two days ahead: on the Friday before
//! the Sunday on which they change. Once a run; schedules need no help, they are wall-clock times.

use chrono::TimeDelta;
use domain::{Instant, calendar};
use views::text::clocks::{self, ClocksChange};

use super::{Core, telling::About};

/// So far ahead a change is told.
const AHEAD: TimeDelta = TimeDelta::days(2);
/// Clocks of two zones that change within this time are told of as one.
const TOGETHER: TimeDelta = TimeDelta::hours(24);

impl Core {
    pub(super) fn tell_clocks(&mut self, now: Instant) {
        // Without the broker's time the date is a guess.
        let is_sure = self.links.clock_apart.is_some();
        if !is_sure || !self.settled.announced.clocks || self.clocks_told.is_some_and(|until| now < until) {
            return;
        }
        let zones = [calendar::CENTRAL, self.zones().local];
        let first = zones.iter().filter_map(|zone| calendar::clocks_change(*zone, now, now + AHEAD)).min();
        let Some(first) = first else { return };
        let until = first + TOGETHER;
        let [central, local] = zones.map(|zone| calendar::clocks_change(zone, now, until));
        self.clocks_told = Some(until);
        let reset = self.engine.rulebook().reset;
        let resets = (reset.last_until(first), reset.next_after(central.max(local).unwrap_or(first)));
        let change = ClocksChange { central, local, resets };
        if let Some(note) = self.with_scene(None, now, |scene| clocks::clocks_change(&change, scene)) {
            self.tell(note, About::all("clocks_change"), now);
        }
    }
}
