//! The desktop's side of tray and notifications, over D-Bus.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use zbus::{
    blocking::{Connection, Proxy},
    interface,
    message::Header,
    zvariant::{OwnedValue, Value},
};

use super::{Shown, wait};

/// Owner and path of every registered icon.
pub type Items = Arc<Mutex<Vec<(String, String)>>>;

pub struct Watcher(pub Items);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: &str, #[zbus(header)] header: Header<'_>) {
        let owner = header.sender().unwrap().to_string();
        self.0.lock().unwrap().push((owner, service.to_owned()));
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        vec![]
    }
}

pub struct Notifications(pub Arc<Mutex<Vec<Shown>>>);

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[expect(clippy::too_many_arguments, reason = "the interface of the desktop")]
    fn notify(
        &self,
        app: &str,
        _replaces: u32,
        _icon: &str,
        summary: &str,
        body: &str,
        _actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        assert_eq!(app, "Risk Manager");
        let urgency = hints.get("urgency").and_then(|value| value.downcast_ref::<u8>().ok());
        let mut shown = self.0.lock().unwrap();
        shown.push(Shown { title: summary.into(), body: body.into(), urgency });
        u32::try_from(shown.len()).unwrap()
    }

    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".into(), "body-markup".into()]
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("test".into(), "test".into(), "1".into(), "1.2".into())
    }

    fn close_notification(&self, _id: u32) {}
}

/// One entry of the menu as the desktop would draw it.
#[derive(Clone, Debug)]
struct Entry {
    id: i32,
    label: String,
    enabled: bool,
}

/// A line of the menu with its properties and the lines below it.
type Node = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

/// The tray icon as the desktop sees it.
pub struct Tray<'a> {
    item: Proxy<'a>,
    menu: Proxy<'a>,
}

impl<'a> Tray<'a> {
    pub fn new(bus: &'a Connection, owner: &str, path: &str) -> Self {
        let proxy = |path: String, interface: &'static str| {
            Proxy::new(bus, owner.to_owned(), path, interface).unwrap()
        };
        let tray = Self {
            item: proxy(path.to_owned(), "org.freedesktop.DBus.Properties"),
            menu: proxy(format!("{path}/Menu"), "com.canonical.dbusmenu"),
        };
        // The icon is announced a moment before its menu can be asked for.
        wait("the icon's menu", || tray.layout().is_ok());
        tray
    }

    /// File that the icon is drawn from. Never cached: the tray announces changes with signals of its own.
    pub fn icon_file(&self) -> String {
        let value: OwnedValue = self.item.call("Get", &("org.kde.StatusNotifierItem", "IconName")).unwrap();
        String::try_from(value).unwrap()
    }

    /// The picture itself.
    pub fn icon(&self) -> Vec<u8> {
        let mut picture = vec![];
        wait("the icon's file", || {
            picture = std::fs::read(self.icon_file()).unwrap_or_default();
            picture.starts_with(b"\x89PNG")
        });
        picture
    }

    /// Every line of the menu; those that can't be chosen in brackets.
    pub fn lines(&self) -> Vec<String> {
        let shown = |entry: Entry| match entry.enabled {
            true => entry.label,
            false => format!("[{}]", entry.label),
        };
        self.entries().into_iter().map(shown).collect()
    }

    /// The first line: the state.
    pub fn state(&self) -> String {
        self.entries().first().map(|entry| entry.label.clone()).unwrap_or_default()
    }

    pub fn choose(&self, label: &str) {
        let entry = self.entries().into_iter().find(|entry| entry.label == label);
        let entry = entry.unwrap_or_else(|| panic!("no entry {label}"));
        assert!(entry.enabled, "{label} cannot be chosen");
        let _: () = self.menu.call("Event", &(entry.id, "clicked", Value::from(""), 0_u32)).unwrap();
    }

    fn layout(&self) -> zbus::Result<Node> {
        let (_revision, root): (u32, Node) =
            self.menu.call("GetLayout", &(0_i32, -1_i32, Vec::<String>::new()))?;
        Ok(root)
    }

    fn entries(&self) -> Vec<Entry> {
        let nodes = self.layout().unwrap().2.into_iter().map(|child| Node::try_from(child).unwrap());
        nodes
            .map(|(id, properties, _)| Entry {
                id,
                label: text(&properties, "label"),
                enabled: properties.get("enabled").and_then(|on| on.downcast_ref().ok()).unwrap_or(true),
            })
            .filter(|entry| !entry.label.is_empty())
            .collect()
    }
}

fn text(properties: &HashMap<String, OwnedValue>, name: &str) -> String {
    properties.get(name).and_then(|value| value.downcast_ref::<String>().ok()).unwrap_or_default()
}
