//! Draws icon and menu. What is equal is not drawn again: on Linux each new icon writes a file, and the
//! menu can't be replaced, only its entries changed.

use tray_icon::{
    TrayIcon, TrayIconBuilder,
    menu::{self, Menu as NativeMenu, MenuEvent, MenuItem, PredefinedMenuItem},
};
use views::{
    Sight, Zones,
    tray::{self, Icon, Menu, MenuAction},
};

use super::picture::picture;

/// Entries above the lines that come and go: state and detail.
const HEAD_LINES: usize = 2;

/// What the tray is to show.
pub type Drawing = (Icon, Menu);

/// What the tray is to show of the engine.
pub fn drawing(sight: &Sight, zones: Zones) -> Drawing {
    tray::of(sight, zones)
}

/// What was chosen in the menu.
pub fn action(event: &MenuEvent) -> Option<MenuAction> {
    ACTIONS.into_iter().find(|action| id(*action) == event.id().as_ref())
}

/// The drawn tray, and what it shows.
pub struct Surface {
    tray: TrayIcon,
    menu: NativeMenu,
    state: MenuItem,
    detail: MenuItem,
    /// What comes and goes below state and detail.
    lines: Vec<MenuItem>,
    items: Vec<MenuItem>,
    shown: Drawing,
}

impl Surface {
    /// Draws the tray for the first time.
    ///
    /// # Errors
    /// When the system refuses a tray or an entry.
    pub fn new((icon, wanted): Drawing) -> anyhow::Result<Self> {
        let (state, detail) = (line(&wanted.state), line(&wanted.detail));
        let items: Vec<_> = wanted
            .items
            .iter()
            .map(|item| MenuItem::with_id(id(item.action), item.label, item.enabled, None))
            .collect();
        let menu = NativeMenu::with_items(&[&state, &detail])?;
        lay_out(&menu, &items)?;
        let tray = TrayIconBuilder::new()
            .with_id("risk-manager")
            .with_title("Risk Manager")
            .with_icon(picture(icon)?)
            .with_icon_as_template(cfg!(target_os = "macos"))
            .with_tooltip(tray::tooltip(&wanted))
            .with_menu(Box::new(menu.clone()))
            .build()?;
        // The first comparison finds everything drawn but the lines that come and go.
        let nothing = Menu { today: None, accounts: Vec::new(), lockouts: Vec::new(), ..wanted };
        Ok(Self { tray, menu, state, detail, lines: Vec::new(), items, shown: (icon, nothing) })
    }

    /// Draws what differs.
    ///
    /// # Errors
    /// When the system refuses an icon or an entry.
    pub fn show(&mut self, wanted: Drawing) -> anyhow::Result<()> {
        if wanted == self.shown {
            return Ok(());
        }
        let (icon, menu) = wanted;
        let (old_icon, old) = &self.shown;
        if icon != *old_icon {
            self.tray.set_icon(Some(picture(icon)?))?;
            self.tray.set_icon_as_template(cfg!(target_os = "macos"));
        }
        if menu.state != old.state {
            self.state.set_text(shown_as(&menu.state));
        }
        if menu.detail != old.detail {
            self.detail.set_text(shown_as(&menu.detail));
        }
        for ((item, wanted), old) in self.items.iter().zip(&menu.items).zip(&old.items) {
            if wanted.enabled != old.enabled {
                item.set_enabled(wanted.enabled);
            }
        }
        if !menu.lines().eq(old.lines()) {
            let (before, wanted): (Vec<_>, Vec<_>) = (old.lines().collect(), menu.lines().collect());
            draw_lines(&self.menu, &mut self.lines, &before, &wanted)?;
        }
        self.tray.set_tooltip(Some(tray::tooltip(&menu)))?;
        self.shown = (icon, menu);
        Ok(())
    }
}

/// Changes lines in place, adds what is missing, removes what is too much.
fn draw_lines(
    menu: &NativeMenu,
    lines: &mut Vec<MenuItem>,
    before: &[&String],
    wanted: &[&String],
) -> menu::Result<()> {
    while lines.len() > wanted.len() {
        if let Some(line) = lines.pop() {
            menu.remove(&line)?;
        }
    }
    for (index, text) in wanted.iter().enumerate() {
        match lines.get(index) {
            Some(line) if before.get(index) != Some(text) => line.set_text(shown_as(text)),
            Some(_) => {}
            None => {
                let line = line(text);
                menu.insert(&line, HEAD_LINES + index)?;
                lines.push(line);
            }
        }
    }
    Ok(())
}

/// Says something and can't be chosen.
fn line(text: &str) -> MenuItem {
    MenuItem::new(shown_as(text), false, None)
}

/// Pages, deeds and the end, each set apart.
fn lay_out(menu: &NativeMenu, items: &[MenuItem]) -> menu::Result<()> {
    for (item, action) in items.iter().zip(ACTIONS) {
        let begins_group =
            matches!(action, MenuAction::OpenStatus | MenuAction::FlattenAll | MenuAction::Quit);
        if begins_group {
            menu.append(&PredefinedMenuItem::separator())?;
        }
        menu.append(item)?;
    }
    Ok(())
}

/// In the order of [`Menu::items`].
const ACTIONS: [MenuAction; 9] = [
    MenuAction::OpenStatus,
    MenuAction::OpenSettings,
    MenuAction::OpenHistory,
    MenuAction::OpenSetup,
    MenuAction::FlattenAll,
    MenuAction::CancelAll,
    MenuAction::LockOutUntil,
    MenuAction::DoneForTheDay,
    MenuAction::Quit,
];

fn id(action: MenuAction) -> &'static str {
    match action {
        MenuAction::OpenStatus => "open_status",
        MenuAction::OpenSettings => "open_settings",
        MenuAction::OpenHistory => "open_history",
        MenuAction::OpenSetup => "open_setup",
        MenuAction::FlattenAll => "flatten_all",
        MenuAction::CancelAll => "cancel_all",
        MenuAction::LockOutUntil => "lock_out_until",
        MenuAction::DoneForTheDay => "done_for_the_day",
        MenuAction::Quit => "quit",
    }
}

/// An ampersand marks a shortcut key in menus; a doubled one is an ampersand.
fn shown_as(text: &str) -> String {
    text.replace('&', "&&")
}
