//! An engine that says what a test wants, over the real control protocol on a real socket.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
};

use runtime::{Home, home::HomeLock};
use views::{
    Note, View,
    control::{Ask, Reply, Request, Response},
    history::History,
};

/// A sample view by name; `views` makes them.
pub fn sample(name: &str) -> View {
    let path = format!("{}/ui/src/lib/fake/views/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Serves one home until it is dropped.
pub struct Engine {
    stage: Arc<Mutex<Stage>>,
    socket: PathBuf,
    /// A home belongs to one engine: the program under test finds it taken and looks on.
    _claim: HomeLock,
}

struct Stage {
    view: View,
    watchers: Vec<UnixStream>,
    asked: Vec<Ask>,
    refusal: Option<String>,
    history: History,
    over: bool,
}

impl Engine {
    pub fn serve(home: &Path, view: View) -> Self {
        let claim = Home::find(Some(home)).unwrap().claim().unwrap();
        let socket = home.join("control.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let stage = Stage {
            view,
            watchers: vec![],
            asked: vec![],
            refusal: None,
            history: History::default(),
            over: false,
        };
        let stage = Arc::new(Mutex::new(stage));
        let shared = Arc::clone(&stage);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.lock().unwrap().over {
                    return;
                }
                let stage = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &stage));
            }
        });
        Self { stage, socket, _claim: claim }
    }

    /// The view from now on.
    pub fn show(&self, view: View) {
        let mut stage = self.stage.lock().unwrap();
        stage.view = view.clone();
        stage.tell(&Reply::View { view: Box::new(view) });
    }

    pub fn note(&self, note: Note) {
        self.stage.lock().unwrap().tell(&Reply::Note { note });
    }

    /// How many connections watch.
    pub fn watchers(&self) -> usize {
        self.stage.lock().unwrap().watchers.len()
    }

    /// Everything asked so far beside views.
    pub fn asked(&self) -> Vec<Ask> {
        let asked = self.stage.lock().unwrap().asked.clone();
        asked.into_iter().filter(|ask| !matches!(ask, Ask::View | Ask::Watch)).collect()
    }

    /// The past from now on.
    pub fn remember(&self, history: History) {
        self.stage.lock().unwrap().history = history;
    }

    /// Commands are refused from now on.
    pub fn refuse(&self, reason: &str) {
        self.stage.lock().unwrap().refusal = Some(reason.to_owned());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let mut stage = self.stage.lock().unwrap();
        stage.over = true;
        for watcher in stage.watchers.drain(..) {
            let _ = watcher.shutdown(std::net::Shutdown::Both);
        }
        // Wakes the thread that accepts, so that nobody is connected to an engine that is gone.
        let _ = UnixStream::connect(&self.socket);
        let _ = fs::remove_file(&self.socket);
    }
}

impl Stage {
    fn tell(&mut self, reply: &Reply) {
        self.watchers.retain(|watcher| say(watcher, 1, reply.clone()).is_ok());
    }

    fn answer(&mut self, ask: &Ask) -> Reply {
        self.asked.push(ask.clone());
        match (ask, &self.refusal) {
            (Ask::View | Ask::Watch, _) => Reply::View { view: Box::new(self.view.clone()) },
            (_, Some(reason)) => Reply::Refused { reason: reason.clone() },
            (Ask::History { .. }, None) => Reply::History { history: Box::new(self.history.clone()) },
            (_, None) => Reply::Accepted,
        }
    }
}

fn serve(stream: UnixStream, stage: &Mutex<Stage>) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        let request: Request = serde_json::from_str(&line).unwrap();
        let mut stage = stage.lock().unwrap();
        let reply = stage.answer(&request.ask);
        if say(&stream, request.id, reply).is_err() || stage.over {
            return;
        }
        if request.ask == Ask::Watch {
            stage.watchers.push(stream.try_clone().unwrap());
        }
    }
}

fn say(mut stream: &UnixStream, id: u64, reply: Reply) -> std::io::Result<()> {
    let mut line = serde_json::to_string(&Response { id, reply }).unwrap();
    line.push('\n');
    stream.write_all(line.as_bytes())
}
