//! The gateway behind its lock, the wakers of its sockets, and the task that keeps its time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::Instant;
use tokio::{
    sync::{Notify, mpsc, watch},
    time,
};

use super::clock::Clock;
use crate::{
    gateway::{ConnectionId, Frame, Gateway},
    scenario::{Outcome, Player, Scenario, ScenarioError},
    settings::Settings,
};

/// What a task holds while it runs, so that its end can be awaited.
pub(super) type Alive = mpsc::Sender<()>;

/// Longest sleep without a look at the clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// A running gateway, shared; cheap to clone. It stays readable after the serving has ended.
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// The deadline may have moved.
    moved: Notify,
    stopping: watch::Receiver<bool>,
}

#[derive(Debug)]
struct State {
    clock: Clock,
    gateway: Gateway,
    player: Option<Player>,
    wakers: BTreeMap<ConnectionId, Arc<Notify>>,
    /// When the driving task looks next, if it sleeps for a reason.
    sleeps_until: Option<Instant>,
    /// Given to every task; `None` once the simulator ends.
    alive: Option<Alive>,
}

impl Handle {
    pub(super) fn new(settings: Settings, stopping: watch::Receiver<bool>, alive: Alive) -> Self {
        let mut clock = Clock::start();
        let gateway = Gateway::new(settings, clock.now());
        let wakers = BTreeMap::new();
        let state = State { clock, gateway, player: None, wakers, sleeps_until: None, alive: Some(alive) };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), moved: Notify::new(), stopping }) }
    }

    /// Does something with the gateway at the present time; what it wants to send goes out at once. All
    /// requests wait meanwhile: `act` must not block.
    pub fn with<T>(&self, act: impl FnOnce(&mut Gateway, Instant) -> T) -> T {
        self.with_state(|state, now| act(&mut state.gateway, now))
    }

    /// What the steps of the scenario that plays came to so far.
    #[must_use]
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.with_state(|state, _| state.player.as_ref().map(|player| player.outcomes().to_vec()))
            .unwrap_or_default()
    }

    pub(super) fn play(&self, scenario: &Scenario) -> Result<(), ScenarioError> {
        self.with_state(|state, _| {
            state.player = Some(Player::new(scenario, &state.gateway)?);
            Ok(())
        })
    }

    /// The waker of a connection: told whenever frames wait.
    pub(super) fn waker(&self, id: ConnectionId) -> Arc<Notify> {
        let waker = Arc::new(Notify::new());
        self.lock().wakers.insert(id, waker.clone());
        waker
    }

    pub(super) fn take(&self, id: ConnectionId) -> Vec<Frame> {
        self.lock().gateway.outgoing(id)
    }

    pub(super) fn closed(&self, id: ConnectionId) {
        self.with_state(|state, now| {
            state.wakers.remove(&id);
            state.gateway.closed(now, id);
        });
    }

    /// What a new task is to hold; `None` when no task may begin any more.
    pub(super) fn alive(&self) -> Option<Alive> {
        self.lock().alive.clone()
    }

    /// From now on no task begins.
    pub(super) fn end_tasks(&self) {
        self.lock().alive = None;
    }

    /// Waits until the simulator is to end.
    pub(super) async fn stopped(&self) {
        let mut stopping = self.shared.stopping.clone();
        // A sender that is gone says the same as one that said so.
        let _ = stopping.wait_for(|stop| *stop).await;
    }

    fn with_state<T>(&self, act: impl FnOnce(&mut State, Instant) -> T) -> T {
        let mut state = self.lock();
        let now = state.clock.now();
        state.advance(now);
        let outcome = act(&mut state, now);
        state.wake();
        if state.next_deadline().is_some_and(|at| state.sleeps_until.is_none_or(|until| at < until)) {
            self.shared.moved.notify_one();
        }
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn advance(&mut self, now: Instant) {
        if let Some(player) = &mut self.player {
            player.advance(now, &mut self.gateway);
        }
        self.gateway.advance(now);
    }

    fn wake(&self) {
        for waker in self.gateway.ready().iter().filter_map(|id| self.wakers.get(id)) {
            waker.notify_one();
        }
    }

    /// Does what is due and says how long nothing else will be.
    fn look(&mut self) -> Duration {
        let now = self.clock.now();
        self.advance(now);
        self.wake();
        self.sleeps_until = self.next_deadline();
        let left = self.sleeps_until.map(|at| (at - now).to_std().unwrap_or_default());
        left.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
    }

    fn next_deadline(&self) -> Option<Instant> {
        let player = self.player.as_ref().and_then(Player::next_deadline);
        [player, self.gateway.next_deadline()].into_iter().flatten().min()
    }
}

/// Lets the gateway do what is due, until the simulator ends.
pub(super) async fn drive(handle: Handle) {
    let Some(_alive) = handle.alive() else { return };
    loop {
        let sleep = handle.lock().look();
        tokio::select! {
            () = handle.stopped() => return,
            () = handle.shared.moved.notified() => {}
            () = time::sleep(sleep) => {}
        }
    }
}
