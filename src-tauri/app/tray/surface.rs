//! Draws icon and menu. What is equal is not drawn again: on Linux each new icon writes a file, and the
//! menu can't be replaced, only its entries changed.

use tauri::{
    AppHandle, Wry,
    image::Image,
    include_image,
    menu::{IsMenuItem, Menu as NativeMenu, MenuItem, PredefinedMenuItem},
    tray::{TrayIcon, TrayIconBuilder},
};
use tokio::sync::oneshot;
use views::{
    Sight, Zones,
    tray::{self, Icon, Menu, MenuAction},
};

/// Entries above the lines that come and go: state and detail.
const HEAD_LINES: usize = 2;

/// The drawn tray, and what it shows.
pub struct Surface {
    tray: TrayIcon,
    menu: NativeMenu<Wry>,
    state: MenuItem<Wry>,
    detail: MenuItem<Wry>,
    /// What comes and goes below state and detail.
    lines: Vec<MenuItem<Wry>>,
    items: Vec<MenuItem<Wry>>,
    shown: (Icon, Menu),
}

impl Surface {
    /// Draws the tray for the first time; `chosen` is called for every entry that is chosen.
    ///
    /// # Errors
    /// When the system refuses a tray or an entry.
    pub fn new(
        app: &AppHandle,
        sight: &Sight,
        zones: Zones,
        chosen: fn(&AppHandle, MenuAction),
    ) -> tauri::Result<Self> {
        let (icon, wanted) = tray::of(sight, zones);
        let line = |text: &str| MenuItem::new(app, shown_as(text), false, None::<&str>);
        let (state, detail) = (line(&wanted.state)?, line(&wanted.detail)?);
        let items = wanted
            .items
            .iter()
            .map(|item| MenuItem::with_id(app, id(item.action), item.label, item.enabled, None::<&str>))
            .collect::<tauri::Result<Vec<_>>>()?;
        let menu = NativeMenu::with_items(app, &[&state, &detail])?;
        lay_out(app, &menu, &items)?;
        let tray = TrayIconBuilder::with_id("risk-manager")
            .title("Risk Manager")
            .icon(picture(icon))
            .icon_as_template(cfg!(target_os = "macos"))
            .tooltip(tray::tooltip(&wanted))
            .menu(&menu)
            .on_menu_event(move |app, event| {
                if let Some(action) = ACTIONS.into_iter().find(|action| id(*action) == event.id().as_ref()) {
                    chosen(app, action);
                }
            })
            .build(app)?;
        // The first comparison finds everything drawn but the lines that come and go.
        let nothing = Menu { today: None, accounts: Vec::new(), lockouts: Vec::new(), ..wanted };
        Ok(Self { tray, menu, state, detail, lines: Vec::new(), items, shown: (icon, nothing) })
    }

    /// Draws what differs, on the main thread; gives itself back when that is done. `None` when the
    /// program is ending.
    pub async fn show(self, app: &AppHandle, sight: &Sight, zones: Zones) -> Option<Self> {
        let wanted = tray::of(sight, zones);
        if wanted == self.shown {
            return Some(self);
        }
        let (done, drawn) = oneshot::channel();
        let handle = app.clone();
        app.run_on_main_thread(move || {
            let mut surface = self;
            if let Err(error) = surface.draw(&handle, wanted) {
                tracing::error!(%error, "the tray could not be drawn");
            }
            let _ = done.send(surface);
        })
        .ok()?;
        drawn.await.ok()
    }

    fn draw(&mut self, app: &AppHandle, (icon, menu): (Icon, Menu)) -> tauri::Result<()> {
        let (old_icon, old) = &self.shown;
        if icon != *old_icon {
            self.tray.set_icon(Some(picture(icon)))?;
            self.tray.set_icon_as_template(cfg!(target_os = "macos"))?;
        }
        if menu.state != old.state {
            self.state.set_text(shown_as(&menu.state))?;
        }
        if menu.detail != old.detail {
            self.detail.set_text(shown_as(&menu.detail))?;
        }
        for ((item, wanted), old) in self.items.iter().zip(&menu.items).zip(&old.items) {
            if wanted.enabled != old.enabled {
                item.set_enabled(wanted.enabled)?;
            }
        }
        if !menu.lines().eq(old.lines()) {
            let (before, wanted): (Vec<_>, Vec<_>) = (old.lines().collect(), menu.lines().collect());
            draw_lines(app, &self.menu, &mut self.lines, &before, &wanted)?;
        }
        self.tray.set_tooltip(Some(tray::tooltip(&menu)))?;
        self.shown = (icon, menu);
        Ok(())
    }
}

/// Changes lines in place, adds what is missing, removes what is too much.
fn draw_lines(
    app: &AppHandle,
    menu: &NativeMenu<Wry>,
    lines: &mut Vec<MenuItem<Wry>>,
    before: &[&String],
    wanted: &[&String],
) -> tauri::Result<()> {
    while lines.len() > wanted.len() {
        if let Some(line) = lines.pop() {
            menu.remove(&line)?;
        }
    }
    for (index, text) in wanted.iter().enumerate() {
        match lines.get(index) {
            Some(line) if before.get(index) != Some(text) => line.set_text(shown_as(text))?,
            Some(_) => {}
            None => {
                let line = MenuItem::new(app, shown_as(text), false, None::<&str>)?;
                menu.insert(&line, HEAD_LINES + index)?;
                lines.push(line);
            }
        }
    }
    Ok(())
}

/// Pages, deeds and the end, each set apart.
fn lay_out(app: &AppHandle, menu: &NativeMenu<Wry>, items: &[MenuItem<Wry>]) -> tauri::Result<()> {
    for (item, action) in items.iter().zip(ACTIONS) {
        let begins_group =
            matches!(action, MenuAction::OpenStatus | MenuAction::FlattenAll | MenuAction::Quit);
        if begins_group {
            menu.append(&PredefinedMenuItem::separator(app)? as &dyn IsMenuItem<Wry>)?;
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

/// The drawing for this system: twice the size of Linux panels, a template that macOS colours itself,
/// twice the size of the Windows task bar's icons.
macro_rules! drawing {
    ($linux:literal, $macos:literal, $windows:literal) => {{
        #[cfg(not(any(target_os = "macos", windows)))]
        let image = include_image!($linux);
        #[cfg(target_os = "macos")]
        let image = include_image!($macos);
        #[cfg(windows)]
        let image = include_image!($windows);
        image
    }};
}

#[rustfmt::skip]
fn picture(icon: Icon) -> Image<'static> {
    match icon {
        Icon::Armed => drawing!("icons/tray/armed-44.png", "icons/tray/mono/armed-44.png", "icons/tray/armed-32.png"),
        Icon::NearLimit => drawing!("icons/tray/near-limit-44.png", "icons/tray/mono/near-limit-44.png", "icons/tray/near-limit-32.png"),
        Icon::Locked => drawing!("icons/tray/locked-44.png", "icons/tray/mono/locked-44.png", "icons/tray/locked-32.png"),
        Icon::NotProtected => drawing!("icons/tray/not-protected-44.png", "icons/tray/mono/not-protected-44.png", "icons/tray/not-protected-32.png"),
        Icon::Observing => drawing!("icons/tray/observing-44.png", "icons/tray/mono/observing-44.png", "icons/tray/observing-32.png"),
        Icon::Starting => drawing!("icons/tray/starting-44.png", "icons/tray/mono/starting-44.png", "icons/tray/starting-32.png"),
    }
}
