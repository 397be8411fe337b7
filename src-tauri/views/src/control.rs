//! What can be said over the control socket: typed requests, typed replies, one stream of views.
//!
//! One JSON object a line in each direction. A connection that has asked to watch gets further
//! [`Reply::View`]s and [`Reply::Note`]s, with the id of that request, whenever the view changes or
//! people are to be told something.

use domain::{AccountId, Command, ContractId, Instant, Symbol};
use serde::{Deserialize, Serialize};

use crate::{
    guard::GuardAct,
    history::{History, HistoryQuery},
    presets::PresetsView,
    settings::{ContractView, SettingsPreview, SettingsView},
    text::Note,
    view::{ReceiptView, View},
};

/// A numbered request; its reply carries the same number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Request {
    /// Chosen by the client.
    pub id: u64,
    /// What is wanted.
    pub ask: Ask,
}

/// What a viewer can ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// The view of this moment, once.
    View,
    /// The view now and at every change.
    Watch,
    /// The trader's own commands: flatten, cancel all, lock out.
    Command {
        /// Which.
        command: Command,
    },
    /// Lines of the audit after a number, oldest first.
    Log {
        /// Number after which to begin; 0 for all.
        after: i64,
        /// At most this many.
        limit: u32,
    },
    /// Read everything from the broker again, now, and say what differs from what was known.
    Reconcile,
    /// Try to connect now instead of waiting for the next attempt.
    Retry,
    /// The credentials in the keyring changed: log in anew.
    CredentialsChanged,
    /// Send one notification through every channel that is on.
    TestNotification,
    /// Take back a change of the settings that does not apply yet: the value in force is written back.
    CancelPending {
        /// Whose; null: that of everyone.
        account: Option<AccountId>,
        /// Its dotted path, as the view names it.
        key: String,
    },
    /// Change settings in their files, all or none. What protects less waits for the next trading day.
    SaveSettings {
        /// The changes.
        edits: Vec<SettingEdit>,
    },
    /// The last trading days, from the records.
    History {
        /// Which, and what of them.
        query: HistoryQuery,
    },
    /// Begin a personal session. It has no effect on any rule.
    ClockIn {
        /// On this account; null: on all.
        account: Option<AccountId>,
    },
    /// End the personal session; its summary is in the history.
    ClockOut {
        /// On this account; null: on all.
        account: Option<AccountId>,
    },
    /// Starting rulebooks by account size.
    Presets,
    /// What every setting means, and what the files say.
    Settings,
    /// What changes of the settings would lead to. Nothing is saved.
    PreviewSettings {
        /// The changes.
        edits: Vec<SettingEdit>,
    },
    /// Take only stricter changes of the settings until then. Cannot be taken back.
    LockSettings {
        /// Until when; null: the next daily reset.
        until: Option<Instant>,
    },
    /// Contracts of the broker whose name contains a text.
    SearchContracts {
        /// The text.
        text: String,
    },
    /// Set, change, remove or use the guard password.
    Guard {
        /// What for.
        act: GuardAct,
    },
}

/// One setting with its new value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SettingEdit {
    /// Whose rules; null: of everyone.
    pub account: Option<AccountId>,
    /// Dotted path as in the file.
    pub key: String,
    /// As one would write it into the file; null takes the key out of it: what applies without it applies
    /// again.
    pub value: Option<String>,
}

/// An answer, or one view of a watch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Response {
    /// Number of the request.
    pub id: u64,
    /// What came of it.
    pub reply: Reply,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// To `View` and `Watch`.
    View {
        /// The picture.
        view: Box<View>,
    },
    /// To `Watch`: something happened that people are told.
    Note {
        /// The message.
        note: Note,
    },
    /// To `Log`.
    Log {
        /// The lines.
        lines: Vec<ReceiptView>,
    },
    /// It was accepted by the engine. What comes of it shows in the view and in the audit.
    Accepted,
    /// It was not done.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
    /// To `History`.
    History {
        /// The past.
        history: Box<History>,
    },
    /// To `Presets`.
    Presets {
        /// What can be started with.
        presets: PresetsView,
    },
    /// To `Settings`.
    Settings {
        /// What they mean and say.
        settings: Box<SettingsView>,
    },
    /// To `PreviewSettings`.
    Preview {
        /// What the changes would lead to.
        preview: Box<SettingsPreview>,
    },
    /// To `SearchContracts`.
    Contracts {
        /// What the broker found.
        contracts: Vec<ContractView>,
    },
    /// To `Reconcile`: everything was read.
    Reconciled {
        /// What was not known so, and counts now; none: what was known agrees.
        differences: Vec<DifferenceView>,
    },
}

/// How a reading differs from what was known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DifferenceView {
    /// Whose.
    pub account: AccountId,
    /// In which contract.
    pub contract: ContractId,
    /// Its root.
    pub symbol: Symbol,
    /// Of what: `position`, `order` or `fill`.
    pub subject: String,
    /// In what: `missing`, `extra`, `size`, `side`, `price` or `stop`.
    pub kind: String,
    /// All of it in a sentence.
    pub text: String,
}
