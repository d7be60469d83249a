//! What a server knows: its client, the open texts, what was published.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

use lsp_server::{Connection, Message, Notification, Request, RequestId};
use lsp_types::notification::Notification as _;
use lsp_types::{InitializeParams, Location, Uri, notification, request};
use serde_json::{Value, json};

use super::documents::Documents;
use super::library::Library;
use super::positions::{Encoding, Lines, line_starts};
use super::{Options, capabilities, publish, uri};
use crate::ide::{self, Project};
use crate::source::find_policies;

/// What the client can do.
#[derive(Clone, Debug, Default)]
pub struct Client {
    pub encoding: Encoding,
    /// Whether proposals may have places where the cursor goes.
    pub snippets: bool,
    /// Whether it watches files for us.
    pub watches: bool,
    /// Whether it opens files that we name.
    pub shows_documents: bool,
    /// Whether it takes changes of lenses and hints as a hint to ask again.
    pub refreshes_hints: bool,
    /// Commands that it performs itself, such as `nsl.run`.
    pub commands: Vec<String>,
}

/// A text with the beginnings of its lines.
struct Text {
    text: String,
    starts: Vec<usize>,
}

/// One server.
pub struct Server<'c> {
    pub client: Client,
    pub documents: Rc<Documents>,
    pub project: Project,
    pub library: Library,
    connection: &'c Connection,
    /// The folders of the editor, absolute.
    pub folders: Vec<String>,
    /// The policies below the folders, once they were looked for.
    pub(super) workspace: RefCell<Option<Vec<String>>>,
    /// The open texts whose findings must be published anew.
    pub(super) dirty: BTreeSet<String>,
    /// For each open text the files in which its findings are shown.
    pub(super) shown: BTreeMap<String, Vec<ide::Finding>>,
    pub(super) published: BTreeSet<String>,
    asked: std::cell::Cell<i32>,
    /// Texts with the beginnings of their lines, as they are while one message is answered.
    texts: RefCell<BTreeMap<String, Rc<Text>>>,
}

impl<'c> Server<'c> {
    /// A server for a client that has introduced itself.
    pub fn new(params: &InitializeParams, options: Options, connection: &'c Connection) -> Server<'c> {
        let documents = Rc::new(Documents::default());
        let project = Project::new(documents.clone(), documents.clone(), options.inputs);
        let folders = capabilities::folders(params);
        Server {
            client: capabilities::client(params),
            documents,
            project,
            library: Library::new(options.cache),
            connection,
            folders,
            workspace: RefCell::default(),
            dirty: BTreeSet::new(),
            shown: BTreeMap::new(),
            published: BTreeSet::new(),
            asked: std::cell::Cell::new(0),
            texts: RefCell::default(),
        }
    }

    /// What it says of itself.
    pub fn hello(&self) -> Value {
        json!({
            "capabilities": capabilities::server(&self.client),
            "serverInfo": { "name": "nsl", "version": env!("CARGO_PKG_VERSION") },
        })
    }

    /// Sends a message; a client that is gone is noticed when we read.
    pub fn send(&self, message: Message) {
        let _ = self.connection.sender.send(message);
    }

    /// Tells the client something.
    pub fn notify<N: notification::Notification>(&self, params: N::Params) {
        self.send(Notification::new(N::METHOD.to_string(), params).into());
    }

    /// Asks the client for something.
    pub fn ask<R: request::Request>(&self, params: R::Params) {
        let number = self.asked.get() + 1;
        self.asked.set(number);
        self.send(Request::new(RequestId::from(number), R::METHOD.to_string(), params).into());
    }

    /// Asks the client to say when policies change that are not open.
    pub fn watch_files(&self) {
        if self.client.watches {
            let watchers = json!({ "watchers": [{ "globPattern": "**/*.nsl" }] });
            self.ask::<request::RegisterCapability>(lsp_types::RegistrationParams {
                registrations: vec![lsp_types::Registration {
                    id: "policies".into(),
                    method: notification::DidChangeWatchedFiles::METHOD.into(),
                    register_options: Some(watchers),
                }],
            });
        }
    }

    /// The path by which a file is known here: absolute, or `std/NAME.nsl`. A text that is in no file yet has one below
    /// a directory that there is not.
    pub fn path(&self, of: &Uri) -> String {
        match uri::to_path(of) {
            Some(path) => self.library.module(&path).unwrap_or(path),
            None => {
                let name: String =
                    of.as_str().chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
                format!("/.no-file/{name}.nsl")
            }
        }
    }

    /// The URI of a file: the editor's own for one that is open.
    pub fn uri(&self, path: &str) -> Option<Uri> {
        if let Some(open) = self.documents.get(path) {
            return Some(open.uri);
        }
        match path.starts_with('/') {
            true => uri::of_path(path),
            false => uri::of_path(&self.library.file(path)?),
        }
    }

    /// Does something with the lines of a file.
    pub fn lines<T>(&self, path: &str, work: impl FnOnce(&Lines) -> T) -> Option<T> {
        let known = self.texts.borrow().get(path).cloned();
        let text = match known {
            Some(known) => known,
            None => {
                let text = self.project.text(path)?;
                let starts = line_starts(&text);
                let text = Rc::new(Text { text, starts });
                self.texts.borrow_mut().insert(path.to_string(), text.clone());
                text
            }
        };
        Some(work(&Lines::known(&text.text, &text.starts, self.client.encoding)))
    }

    /// A message is answered: texts may be others from now on.
    pub fn next(&self) {
        self.texts.borrow_mut().clear();
    }

    /// A place as the protocol says it.
    pub fn location(&self, at: &ide::Location) -> Option<Location> {
        let range = self.lines(&at.path, |lines| lines.range(at.start, at.end))?;
        Some(Location { uri: self.uri(&at.path)?, range })
    }

    /// Every policy of the editor's folders, and what is open.
    pub fn policies(&self) -> Vec<String> {
        let mut workspace = self.workspace.borrow_mut();
        let known = workspace.get_or_insert_with(|| {
            let found = self.folders.iter().filter_map(|it| find_policies(Path::new(it)).ok()).flatten();
            found.filter_map(|it| it.into_os_string().into_string().ok()).collect()
        });
        let mut all = known.clone();
        all.extend(self.documents.paths());
        all.sort();
        all.dedup();
        all
    }

    /// A text was opened, changed or closed: its findings, and those of what uses it, are to be published.
    pub fn touch(&mut self, path: &str) {
        self.next();
        let concerned = self.project.changed(path);
        let open = self.documents.paths();
        self.dirty.extend(concerned.into_iter().chain([path.to_string()]).filter(|it| open.contains(it)));
    }

    /// Files came, went or changed on disk: everything is looked at again.
    pub fn touch_all(&mut self) {
        self.next();
        self.project.forget();
        *self.workspace.borrow_mut() = None;
        self.dirty.extend(self.documents.paths());
    }

    /// Publishes the findings of what was changed.
    pub fn publish(&mut self) {
        if !self.dirty.is_empty() {
            publish::publish(self);
            self.project.tidy();
        }
    }
}
