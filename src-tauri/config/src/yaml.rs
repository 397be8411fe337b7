//! YAML text as a tree that knows where each piece stands. Takes the plain subset that settings need:
//! maps, lists and scalars of one document. Anchors, tags, merge keys and double keys are refused.

use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, options};

use crate::fault::{Fault, FaultKind, Place, shown};

/// Deeper trees are refused; the deepest setting has seven levels.
const DEEPEST: usize = 32;

/// One piece of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub place: Place,
    pub content: Content,
    /// Bytes of the file that it takes.
    pub bytes: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
    /// Something that was already complained about.
    Bad,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub text: String,
    /// Written without quotes: `null`, `~` and nothing mean "no value" only then.
    pub plain: bool,
    /// The text came out of the environment, by this reference; such text is never shown.
    pub reference: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub name: String,
    pub place: Place,
    pub bytes: Range<usize>,
}

impl Node {
    /// Whether it is an explicit or implied null.
    pub fn is_null(&self) -> bool {
        match &self.content {
            Content::Scalar(scalar) => scalar.is_null(),
            Content::List(_) | Content::Map(_) | Content::Bad => false,
        }
    }

    /// The child of a map.
    pub fn child(&self, name: &str) -> Option<&Node> {
        match &self.content {
            Content::Map(entries) => entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node),
            Content::Scalar(_) | Content::List(_) | Content::Bad => None,
        }
    }
}

impl Scalar {
    pub fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

/// The tree of a file; `None` for a file without content. Faults are added to `faults`.
pub(crate) fn parse(file: &str, text: &str, faults: &mut Vec<Fault>) -> Option<Node> {
    let mut reader = Reader {
        file,
        text,
        events: Parser::new_from_str_with_options(text, options! { emit_comments: false }),
        path: Vec::new(),
        faults,
    };
    match reader.document() {
        Ok(node) => node,
        Err(Stop::Scan(error)) => {
            let fault = syntax_fault(file, text, &error);
            faults.push(fault);
            None
        }
        Err(Stop::Told) => None,
    }
}

enum Stop {
    Scan(ScanError),
    Told,
}

struct Reader<'a, 'f> {
    file: &'a str,
    text: &'a str,
    events: Parser<'a, StrInput<'a>>,
    /// Names of the maps that are open.
    path: Vec<String>,
    faults: &'f mut Vec<Fault>,
}

impl<'a> Reader<'a, '_> {
    fn document(&mut self) -> Result<Option<Node>, Stop> {
        let mut root = None;
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::StreamStart | Event::StreamEnd | Event::DocumentEnd) {
                continue;
            }
            if !matches!(event, Event::DocumentStart(..)) {
                root = Some(self.node(event, &span, 0)?);
            } else if root.is_some() {
                return Err(self.stop(&span, "A second document begins here (`---`).", "Keep one."));
            }
        }
        Ok(root.filter(|node| !node.is_null()))
    }

    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Stop> {
        self.events.next().transpose().map_err(Stop::Scan)
    }

    fn expect(&mut self) -> Result<(Event<'a>, Span), Stop> {
        self.next()?.ok_or(Stop::Told)
    }

    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Node, Stop> {
        if depth > DEEPEST {
            return Err(self.stop(span, "The file is nested too deeply.", "No setting lies this deep."));
        }
        let place = self.place(span);
        let start = span.start.byte_offset().unwrap_or(0);
        let mut end = span.end.byte_offset().unwrap_or(start);
        let content = if let Event::Scalar(text, style, anchor, tag) = event {
            self.refuse_extras(span, anchor, tag.is_some())?;
            let plain = matches!(style, ScalarStyle::Plain);
            Content::Scalar(Scalar { text: text.into_owned(), plain, reference: None })
        } else if let Event::SequenceStart(_, anchor, tag) = event {
            self.refuse_extras(span, anchor, tag.is_some())?;
            let items;
            (items, end) = self.list(depth)?;
            Content::List(items)
        } else if let Event::MappingStart(_, anchor, tag) = event {
            self.refuse_extras(span, anchor, tag.is_some())?;
            let entries;
            (entries, end) = self.map(depth)?;
            Content::Map(entries)
        } else {
            return Err(self.refuse_alias(span));
        };
        Ok(Node { place, content, bytes: start..end })
    }

    fn list(&mut self, depth: usize) -> Result<(Vec<Node>, usize), Stop> {
        let mut items = Vec::new();
        loop {
            match self.expect()? {
                (Event::SequenceEnd, span) => return Ok((items, span.end.byte_offset().unwrap_or(0))),
                (event, span) => items.push(self.node(event, &span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<(Vec<(Key, Node)>, usize), Stop> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        loop {
            let (event, span) = self.expect()?;
            if matches!(event, Event::MappingEnd) {
                return Ok((entries, span.end.byte_offset().unwrap_or(0)));
            }
            let key = self.key(event, &span, depth)?;
            let (event, span) = self.expect()?;
            self.path.push(key.name.clone());
            let value = self.node(event, &span, depth + 1)?;
            match entries.iter().find(|(earlier, _)| earlier.name == key.name) {
                Some((earlier, _)) => {
                    let fault = double_key(&key, earlier, &self.path.join("."));
                    self.faults.push(fault);
                }
                None => entries.push((key, value)),
            }
            self.path.pop();
        }
    }

    fn key(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Key, Stop> {
        let node = self.node(event, span, depth + 1)?;
        match node.content {
            Content::Scalar(scalar) if scalar.text == "<<" => {
                Err(self.stop(span, "`<<` (a merge key) is not taken.", "Write the values out."))
            }
            Content::Scalar(scalar) => Ok(Key { name: scalar.text, place: node.place, bytes: node.bytes }),
            Content::List(_) | Content::Map(_) | Content::Bad => {
                Err(self.stop(span, "A name is expected here, not a list or map.", "Write `name: value`."))
            }
        }
    }

    fn place(&self, span: &Span) -> Place {
        Place {
            file: self.file.to_string(),
            line: Some(span.start.line()),
            column: Some(span.start.col() + 1),
        }
    }

    fn refuse_extras(&mut self, span: &Span, anchor: usize, tag: bool) -> Result<(), Stop> {
        if anchor > 0 {
            return Err(self.stop(span, "Anchors (`&name`) are not taken.", "Write the values out."));
        }
        if tag {
            return Err(self.stop(span, "Tags (`!name`) are not taken.", "Remove the tag."));
        }
        Ok(())
    }

    fn refuse_alias(&mut self, span: &Span) -> Stop {
        let piece = span.slice(self.text).unwrap_or_default();
        let problem = format!("{} is not taken here.", shown(piece));
        self.stop(span, &problem, "Write the value out; put a text that begins with `*` in quotes.")
    }

    fn stop(&mut self, span: &Span, problem: &str, fix: &str) -> Stop {
        let place = self.place(span);
        self.faults.push(
            Fault::error(FaultKind::Syntax, &place, "", problem)
                .because("Settings are plain maps, lists and values, so that each can be traced to a line.")
                .fix(fix),
        );
        Stop::Told
    }
}

fn double_key(key: &Key, earlier: &Key, path: &str) -> Fault {
    let line = earlier.place.line.unwrap_or_default();
    Fault::error(
        FaultKind::Syntax,
        &key.place,
        path,
        format!("{} stands here a second time; it was already set in line {line}.", shown(&key.name)),
    )
    .because("It would be a guess which of the two counts.")
    .fix("Remove one of them.")
}

fn syntax_fault(file: &str, text: &str, error: &ScanError) -> Fault {
    let marker = error.marker();
    let place = Place { file: file.to_string(), line: Some(marker.line()), column: Some(marker.col() + 1) };
    let line = text.lines().nth(marker.line().saturating_sub(1)).unwrap_or_default();
    let indent_has_tab = line.chars().take_while(|c| c.is_whitespace()).any(|c| c == '\t');
    let fault = Fault::error(
        FaultKind::Syntax,
        &place,
        "",
        format!("This line is not valid YAML: {}.", error.info().trim_end_matches('.')),
    )
    .because("The rest of the file can't be read before this is put right.");
    if indent_has_tab {
        fault.fix("Indent with spaces; YAML does not allow tabs.").example("  limit: 5")
    } else if line.contains("${") {
        fault.fix("Put a reference in quotes where it stands between braces.").example("{limit: \"${NAME}\"}")
    } else if error.info().contains("unknown anchor") {
        fault.fix("Put a pattern that begins with * in quotes.").example("blocked_symbols: [\"*NQ\"]")
    } else {
        fault.fix("Check the indentation, and that brackets and quotes are closed.").example("limit: 5")
    }
}
