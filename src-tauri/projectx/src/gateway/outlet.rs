//! The one way out: every signal, in order, to a receiver that may be slow.
//!
//! When full: facts, links and replies are never dropped, their senders wait (a hub that is not read for
//! long is dropped by the server, which shows as a lost link and a reconcile). Quotes never wait: each
//! contract has one slot, and a newer quote is laid over the waiting one. That it was full is told once,
//! behind everything that waited then, so that the receiver reads the whole state again.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{
    ContractId, Event, Link,
    broker::{Inbox, Signal, Stamped},
};
use tokio::sync::{Notify, mpsc};

/// Signals that wait here, quotes not counted (specification C.2).
pub(super) const QUEUE_LIMIT: usize = 10_000;

/// Signals that wait in the channel to the receiver, where quotes are not merged any more.
pub(super) const CHANNEL_LIMIT: usize = 16;

/// Shared by everyone who has something to tell.
#[derive(Debug, Default)]
pub(super) struct Outlet {
    queue: Mutex<Queue>,
    filled: Notify,
    drained: Notify,
}

impl Outlet {
    /// Tells something; waits while the queue is full.
    pub async fn tell(&self, stamped: Stamped) {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            drained.as_mut().enable();
            {
                let mut queue = self.queue();
                if queue.has_room_for(&stamped) {
                    queue.push(stamped);
                    return self.filled.notify_one();
                }
                queue.overflow(&stamped);
            }
            drained.await;
        }
    }

    /// Hands on what is told until nobody receives any more, or until everything is told after
    /// [`Outlet::finish`].
    pub async fn forward(&self, receiver: mpsc::Sender<Stamped>) {
        loop {
            let filled = self.filled.notified();
            // A place in the channel first: what waits for one can still be merged.
            let Ok(place) = receiver.reserve().await else { break };
            let next = self.queue().pop();
            match next {
                Some(stamped) => {
                    place.send(stamped);
                    self.drained.notify_waiters();
                }
                None if self.queue().is_finished => break,
                None => {
                    drop(place);
                    tokio::select! {
                        () = filled => {}
                        () = receiver.closed() => break,
                    }
                }
            }
        }
        self.queue().close();
        self.drained.notify_waiters();
    }

    /// How many signals wait, quotes included.
    pub fn waiting(&self) -> usize {
        self.queue().waiting.len()
    }

    /// Nothing more will be told.
    pub fn finish(&self) {
        self.queue().is_finished = true;
        self.filled.notify_one();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Stamped>,
    /// Number of the entry at the front, counted from the beginning of time.
    front: u64,
    /// Entry numbers of the quotes into which newer ones may be merged.
    slots: HashMap<ContractId, u64>,
    quotes: usize,
    /// That it was full waits to be told.
    is_overflow_due: bool,
    is_finished: bool,
    is_closed: bool,
}

impl Queue {
    fn has_room_for(&self, stamped: &Stamped) -> bool {
        let is_quote = matches!(stamped.signal, Signal::Event(Event::Quote(_)));
        is_quote || self.is_closed || self.waiting.len() - self.quotes < QUEUE_LIMIT
    }

    fn push(&mut self, stamped: Stamped) {
        if self.is_closed || self.merge(&stamped) {
            return;
        }
        if let Signal::Event(Event::Quote(quote)) = &stamped.signal {
            self.slots.insert(quote.contract.clone(), self.front + self.waiting.len() as u64);
            self.quotes += 1;
        }
        // No quote may pass the moment at which its hub went down or came up.
        if let Signal::Link(Link::MarketUp | Link::MarketDown { .. }) = &stamped.signal {
            self.slots.clear();
        }
        self.waiting.push_back(stamped);
    }

    /// Notes that there was no room for a signal, behind everything that waits; once until that is told.
    fn overflow(&mut self, late: &Stamped) {
        if std::mem::replace(&mut self.is_overflow_due, true) {
            return;
        }
        let waiting = self.waiting.len();
        tracing::error!(target: "errors", waiting, "event queue overflow: senders wait");
        let signal = Signal::Inbox(Inbox::Overflowed { waiting });
        self.waiting.push_back(Stamped { received: late.received, signal });
    }

    /// Whether this was a quote that found one of its contract waiting.
    fn merge(&mut self, stamped: &Stamped) -> bool {
        if let Signal::Event(Event::Quote(newer)) = &stamped.signal
            && let Some(slot) = self.slot(&newer.contract)
            && let Signal::Event(Event::Quote(waiting)) = &mut slot.signal
        {
            waiting.merge(newer);
            slot.received = stamped.received;
            return true;
        }
        false
    }

    fn pop(&mut self) -> Option<Stamped> {
        let stamped = self.waiting.pop_front()?;
        if let Signal::Event(Event::Quote(quote)) = &stamped.signal {
            self.quotes -= 1;
            if self.slots.get(&quote.contract) == Some(&self.front) {
                self.slots.remove(&quote.contract);
            }
        }
        if let Signal::Inbox(Inbox::Overflowed { .. }) = &stamped.signal {
            self.is_overflow_due = false;
        }
        self.front += 1;
        Some(stamped)
    }

    fn slot(&mut self, contract: &ContractId) -> Option<&mut Stamped> {
        let number = *self.slots.get(contract)?;
        self.waiting.get_mut(usize::try_from(number - self.front).ok()?)
    }

    /// Nobody receives any more: nothing waits for room again.
    fn close(&mut self) {
        *self = Self { is_closed: true, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Instant};

    use domain::{Price, Quote};

    use super::*;

    fn stamped(signal: Signal) -> Stamped {
        Stamped { received: Instant::now(), signal }
    }

    fn quote(contract: &str, last: Option<i64>, bid: Option<i64>) -> Stamped {
        let price = |number: Option<i64>| number.map(|number| Price(number.into()));
        let (last, bid) = (price(last), price(bid));
        stamped(Signal::Event(Event::Quote(Quote {
            contract: contract.into(),
            last,
            bid,
            ask: None,
            at: None,
        })))
    }

    fn link(number: usize) -> Stamped {
        stamped(Signal::Link(Link::UserDown { why: number.to_string() }))
    }

    /// `quote:last/bid` or the link's reason.
    fn text(stamped: &Stamped) -> String {
        let show = |price: Option<Price>| price.map_or("-".into(), |price| price.to_string());
        match &stamped.signal {
            Signal::Event(Event::Quote(quote)) => {
                format!("{}:{}/{}", quote.contract, show(quote.last), show(quote.bid))
            }
            Signal::Link(Link::UserDown { why } | Link::MarketDown { why }) => why.clone(),
            Signal::Inbox(Inbox::Overflowed { .. }) => "overflowed".to_string(),
            Signal::Event(_)
            | Signal::Link(_)
            | Signal::LoginRefused(_)
            | Signal::Malformed(_)
            | Signal::Inbox(Inbox::Repeated)
            | Signal::Reply(_) => panic!("{stamped:?}"),
        }
    }

    async fn drain(receiver: &mut mpsc::Receiver<Stamped>, count: usize) -> Vec<String> {
        let mut told = Vec::new();
        for _ in 0..count {
            told.push(text(&receiver.recv().await.unwrap()));
        }
        told
    }

    #[test]
    fn a_newer_quote_is_laid_over_the_waiting_one_in_its_place() {
        let mut queue = Queue::default();
        for signal in
            [quote("A", Some(1), Some(2)), link(0), quote("B", Some(9), None), quote("A", Some(3), None)]
        {
            queue.push(signal);
        }
        let told: Vec<String> = std::iter::from_fn(|| queue.pop()).map(|stamped| text(&stamped)).collect();
        assert_eq!(told, ["A:3/2", "0", "B:9/-"]);
        let newest = quote("A", Some(6), None);
        let received = newest.received;
        queue.push(quote("A", Some(5), None));
        queue.push(newest);
        let merged = queue.pop().unwrap();
        assert_eq!((text(&merged), merged.received), ("A:6/-".into(), received));
        assert!(queue.slots.is_empty() && queue.quotes == 0);
    }

    #[test]
    fn no_quote_passes_the_loss_of_its_hub() {
        let mut queue = Queue::default();
        let down = stamped(Signal::Link(Link::MarketDown { why: "down".into() }));
        for signal in [quote("A", Some(1), None), down, quote("A", Some(2), None), quote("A", None, Some(3))]
        {
            queue.push(signal);
        }
        let told: Vec<String> = std::iter::from_fn(|| queue.pop()).map(|stamped| text(&stamped)).collect();
        assert_eq!(told, ["A:1/-", "down", "A:2/3"]);
    }

    #[tokio::test]
    async fn facts_wait_for_a_slow_receiver_and_arrive_all_in_order() {
        let outlet = Arc::new(Outlet::default());
        let (sender, mut receiver) = mpsc::channel(CHANNEL_LIMIT);
        let forwarding = tokio::spawn({
            let outlet = outlet.clone();
            async move { outlet.forward(sender).await }
        });
        let total = QUEUE_LIMIT + 3 * CHANNEL_LIMIT;
        let telling = tokio::spawn({
            let outlet = outlet.clone();
            async move {
                for number in 0..total {
                    outlet.tell(link(number)).await;
                }
            }
        });
        while outlet.queue().waiting.len() < QUEUE_LIMIT {
            tokio::task::yield_now().await;
        }
        assert!(!telling.is_finished());
        for price in 0..1_000 {
            outlet.tell(quote("A", Some(price), None)).await;
        }
        assert!(outlet.waiting() > QUEUE_LIMIT);
        let told = drain(&mut receiver, total + 2).await;
        assert!(told.contains(&"A:999/-".to_string()));
        // Told once, behind everything that waited when there was no more room.
        let overflows: Vec<usize> =
            told.iter().enumerate().filter(|(_, text)| *text == "overflowed").map(|(at, _)| at).collect();
        assert_eq!(overflows.len(), 1);
        let before = told[..overflows[0]].iter().filter(|text| !text.starts_with('A')).count();
        assert!(before >= QUEUE_LIMIT, "{before}");
        let facts: Vec<String> =
            told.into_iter().filter(|text| !text.starts_with('A') && text != "overflowed").collect();
        assert_eq!(facts, (0..total).map(|number| number.to_string()).collect::<Vec<_>>());
        telling.await.unwrap();
        drop(receiver);
        forwarding.await.unwrap();
    }

    #[tokio::test]
    async fn nobody_waits_for_a_receiver_that_is_gone() {
        let outlet = Outlet::default();
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        outlet.forward(sender).await;
        for number in 0..2 * QUEUE_LIMIT {
            outlet.tell(link(number)).await;
        }
        assert!(outlet.queue().waiting.is_empty());
    }
}
