//! The window, driven and read through WebKit's own driver.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;
use thirtyfour::{By, Capabilities, WebDriver, WebElement};

use super::{Desktop, memory::family};

const PATIENCE: Duration = Duration::from_secs(30);
/// A page that does not answer within this time is hung.
const HANGS_AFTER: Duration = Duration::from_secs(3);
/// So long the program may take to end its engine.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// One window under a driver.
pub struct Browser {
    pub page: WebDriver,
    driver: Child,
    runtime: tokio::runtime::Runtime,
}

impl Browser {
    /// Opens the window of this desktop's home.
    pub fn open(desktop: &Desktop, args: &[&str]) -> Self {
        Self::start(desktop, &[&["--window"], args].concat(), &[])
    }

    /// Starts the whole program, which must open its window by itself; both end with this.
    pub fn start(desktop: &Desktop, args: &[&str], env: &[(&str, String)]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = desktop
            .command("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .envs(env.iter().cloned())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut caps = Capabilities::new();
        let options = json!({ "binary": super::program(), "args": args });
        caps.set("webkitgtk:browserOptions", options).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let page = runtime.block_on(async {
            until("the driver", async || WebDriver::new(&url, caps.clone()).await.ok()).await
        });
        Self { page, driver, runtime }
    }

    /// Waits until the page shows a text, anywhere.
    pub fn shows(&self, text: &str) {
        let begun = Instant::now();
        loop {
            let shown = plain(&self.runtime.block_on(self.text()).unwrap_or_default());
            if shown.contains(text) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "timed out waiting for {text:?}; the page shows:\n{shown}");
            std::thread::sleep(LOOK_AGAIN_AFTER);
        }
    }

    /// Presses the button with this text.
    pub fn press(&self, text: &str) {
        self.runtime.block_on(until(text, async || clicked(self.button(text).await?).await));
    }

    /// Opens the step of the set-up with this title.
    pub fn step(&self, title: &str) {
        self.press_at(&format!("//button[span[text()='{title}']]"));
    }

    /// Chooses the radio button of the label that begins with this text.
    pub fn pick(&self, label: &str) {
        self.press_at(&format!("//label[starts-with(normalize-space(.), '{label}')]"));
    }

    /// What is left of the lock, as the banner counts it down.
    pub fn countdown(&self) -> String {
        self.text_of("//section[@aria-label='Protection']//div[contains(@class, 'fig ')]")
    }

    /// What the first element of this path shows.
    pub fn text_of(&self, path: &str) -> String {
        self.runtime.block_on(async {
            let found = until(path, async || self.page.find(By::XPath(path)).await.ok()).await;
            plain(&found.text().await.unwrap())
        })
    }

    /// Presses what carries this accessible role: the only one of its kind on the page.
    pub fn press_role(&self, role: &str) {
        self.press_at(&format!("//*[@role='{role}'][not(@disabled)]"));
    }

    fn press_at(&self, path: &str) {
        self.runtime.block_on(async {
            until(path, async || clicked(self.page.find(By::XPath(path)).await.ok()?).await).await;
        });
    }

    /// Runs a script in the page; it calls its last argument with what it found.
    pub fn script(&self, script: &str) -> serde_json::Value {
        let ran = self.runtime.block_on(self.page.execute_async(script, vec![])).unwrap();
        ran.json().clone()
    }

    /// Runs a script in the page that never ends. From now on nothing can be asked of it.
    pub fn hang(&self) {
        self.script("setTimeout(() => { for (;;) {} }, 100); arguments[0]();");
        let asked = || self.runtime.block_on(async { tokio::time::timeout(HANGS_AFTER, self.text()).await });
        while asked().is_ok() {}
    }

    /// The driver's process, from which the window descends.
    pub fn driver(&self) -> u32 {
        self.driver.id()
    }

    /// Types into the field with this label.
    pub fn fill(&self, label: &str, text: &str) {
        let path = field(label);
        self.runtime.block_on(async {
            let field = until(label, async || self.page.find(By::XPath(path.as_str())).await.ok()).await;
            field.clear().await.unwrap();
            field.send_keys(text).await.unwrap();
        });
    }

    /// What a field holds.
    pub fn value(&self, label: &str) -> String {
        let path = field(label);
        self.runtime.block_on(async {
            let field = self.page.find(By::XPath(path.as_str())).await.unwrap();
            field.prop("value").await.unwrap().unwrap_or_default()
        })
    }

    /// As the browser itself lays it out: the driver's own reading of a long page keeps the page busy for
    /// seconds on a loaded machine.
    async fn text(&self) -> Option<String> {
        let said = self.page.execute("return document.body.innerText;", vec![]).await.ok()?;
        said.json().as_str().map(str::to_owned)
    }

    async fn button(&self, text: &str) -> Option<WebElement> {
        const FIND: &str = r"return [...document.querySelectorAll('button')].find((it) =>
            it.innerText.replace(/\u2060/g, '').replace(/\s+/g, ' ').trim() === arguments[0]) ?? null;";
        self.page.execute(FIND, vec![json!(text)]).await.ok()?.element().ok()
    }
}

/// What was drawn anew since it was found, or is covered, is not clicked.
async fn clicked(found: WebElement) -> Option<()> {
    found.click().await.inspect_err(|error| eprintln!("not clicked yet: {error}")).ok()
}

/// The field beside a label, or in the frame beside it that also holds its unit.
fn field(label: &str) -> String {
    let beside = format!("//label[text()='{label}']/following-sibling::*[1]");
    format!("{beside}[self::input] | {beside}/descendant::input[1]")
}

impl Drop for Browser {
    fn drop(&mut self) {
        let started: Vec<u32> = family(self.driver.id()).into_iter().skip(1).collect();
        let _ = self.runtime.block_on(self.page.clone().quit());
        // The driver does not always end what it started, and never what that started.
        let ids = started.iter().map(u32::to_string);
        let _ = Command::new("kill").args(ids).stderr(Stdio::null()).status();
        let begun = Instant::now();
        while started.iter().any(|id| runs(*id)) && begun.elapsed() < ENDS_WITHIN {
            std::thread::sleep(LOOK_AGAIN_AFTER);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Its first thread can be gone while others still hold its name.
fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    let threads = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    stat.is_ok_and(|stat| !stat.contains(") Z ") || threads > 1)
}

/// Without the marks that keep amounts and times on one line.
fn plain(text: &str) -> String {
    text.replace('\u{2060}', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "timed out waiting for {what}");
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
}
