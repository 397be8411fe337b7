//! The simulated gateway as a process, and its control paths.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use ureq::Agent;

use super::{
    journal::Journal,
    process::{Process, riskctl},
    wait::wait_for,
};

/// Longest that the gateway may take to answer a trader or a test.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A gateway that runs.
pub struct Simulator {
    process: Option<Process>,
    outputs: PathBuf,
    count: usize,
    pub base: String,
    pub user_hub: String,
    pub market_hub: String,
    pub user_name: String,
    pub api_key: String,
    pub accounts: Vec<i64>,
    agent: Agent,
    token: Mutex<String>,
    marks: AtomicU32,
    contracts: Mutex<BTreeMap<String, String>>,
    /// Orders that the trader placed, by id, with their sizes.
    pub placed: Mutex<BTreeMap<i64, i64>>,
}

/// What a login's requests carry, so that the journal tells whose they are.
pub const MARK: &str = "trader-";

impl Simulator {
    pub fn start(accounts: usize, outputs: &Path) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_WITHIN))
            .proxy(None)
            .build()
            .new_agent();
        let mut simulator = Self {
            process: None,
            outputs: outputs.to_path_buf(),
            count: accounts,
            base: String::new(),
            user_hub: String::new(),
            market_hub: String::new(),
            user_name: String::new(),
            api_key: String::new(),
            accounts: Vec::new(),
            agent,
            token: Mutex::default(),
            marks: AtomicU32::new(0),
            contracts: Mutex::default(),
            placed: Mutex::default(),
        };
        simulator.serve("127.0.0.1:0");
        simulator.log_in();
        simulator
    }

    fn serve(&mut self, listen: &str) {
        let count = self.count.to_string();
        let command = riskctl(&["simulate", "--listen", listen, "--market", "manual", "--accounts", &count]);
        let mut process = Process::spawn(command, &self.outputs.join("simulator"));
        let line = wait_for("the simulator's line", || {
            assert!(process.ending().is_none(), "the simulator ended: {}", process.errors());
            process.output().lines().next().map(str::to_string)
        });
        let line: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_string();
        self.base = text("base_url");
        self.user_hub = text("user_hub_url");
        self.market_hub = text("market_hub_url");
        self.user_name = text("username");
        self.api_key = text("api_key");
        self.accounts = line["accounts"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect();
        self.process = Some(process);
    }

    /// The whole gateway is gone; its address stays its own.
    pub fn go_away(&mut self) {
        self.process.take().unwrap().kill();
    }

    /// It is back at the same address, as new.
    pub fn come_back(&mut self) {
        let address = self.base.trim_start_matches("http://").to_string();
        self.serve(&address);
        self.placed.lock().unwrap().clear();
        self.log_in();
    }

    /// The login as the engine gets it.
    pub fn give_login(&self, command: &mut Command) {
        command.env("PROJECT_X_USERNAME", &self.user_name).env("PROJECT_X_API_KEY", &self.api_key);
    }

    /// Logs the trader in, and leaves a mark in the journal that tells the session.
    fn log_in(&self) {
        let login = json!({"userName": self.user_name, "apiKey": self.api_key});
        let (status, answer) = self.send("/api/Auth/loginKey", None, &login);
        assert_eq!(status, 200, "{answer}");
        *self.token.lock().unwrap() = answer["token"].as_str().unwrap().to_string();
        let mark = format!("{MARK}{}", self.marks.fetch_add(1, Ordering::Relaxed));
        self.post("/api/Contract/search", &json!({"searchText": mark, "live": false}));
    }

    fn send(&self, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = request.send_json(body).unwrap();
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_json().unwrap_or_default())
    }

    /// A request of the trader; HTTP must say 200. A session that is over is begun anew.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let token = self.token.lock().unwrap().clone();
        let (status, answer) = self.send(path, Some(&token), body);
        if status == 401 {
            self.log_in();
            return self.post(path, body);
        }
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// A request to the control paths.
    fn control(&self, path: &str, body: &Value) {
        let (status, answer) = self.send(path, None, body);
        assert_eq!(status, 200, "{path} {body}: {answer}");
    }

    fn get(&self, path: &str) -> Value {
        let mut answer = self.agent.get(format!("{}{path}", self.base)).call().unwrap();
        answer.body_mut().with_config().limit(64 << 20).read_json().unwrap()
    }

    /// The market trades at this price.
    pub fn price(&self, root: &str, last: f64) {
        self.control("/sim/quote", &json!({"contractId": root, "last": last}));
    }

    /// Any quote.
    pub fn quote(&self, body: &Value) {
        self.control("/sim/quote", body);
    }

    pub fn fault(&self, fault: &Value) {
        self.control("/sim/fault", fault);
    }

    pub fn clear_faults(&self) {
        let answer = self.agent.delete(format!("{}/sim/fault", self.base)).call().unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    }

    pub fn journal(&self) -> Journal {
        Journal::read(self.get("/sim/journal"))
    }

    /// The simulator's own truth of one account.
    pub fn truth(&self, account: i64) -> Value {
        let all = self.get("/sim/accounts");
        all.as_array().unwrap().iter().find(|it| it["id"] == account).unwrap().clone()
    }

    /// The front contract of a root.
    pub fn contract(&self, root: &str) -> String {
        if let Some(known) = self.contracts.lock().unwrap().get(root) {
            return known.clone();
        }
        let found = self.post("/api/Contract/search", &json!({"searchText": root, "live": false}));
        let id = found["contracts"][0]["id"].as_str().unwrap().to_string();
        self.contracts.lock().unwrap().insert(root.to_string(), id.clone());
        id
    }
}
