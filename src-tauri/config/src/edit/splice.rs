//! One value put into a YAML text at a path, everything else left as it stands. The result is read back
//! and compared with what it should say, so that an unusual layout leads to a refusal, never to damage.

use serde_json::{Map, Value as Json};

use super::written;
use crate::yaml::{self, Content, Node};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Name(String),
    Index(usize),
}

/// The text with the value in its place; `None` when the layout does not allow it.
pub(super) fn splice(text: &str, path: &[Step], value: &Json) -> Option<String> {
    let tree = parse(text)?;
    let changed = match &tree {
        None => append(text, path, value)?,
        Some(root) => insert(text, root, path, value)?,
    };
    let mut expected = tree.as_ref().map_or(Json::Null, says);
    put(&mut expected, path, &parse(&written(value))?.as_ref().map_or(Json::Null, says))?;
    let reached = parse(&changed)?.as_ref().map_or(Json::Null, says);
    (reached == expected).then_some(changed)
}

/// The tree of a text without faults; the inner `None` is a text without content.
pub(super) fn parse(text: &str) -> Option<Option<Node>> {
    let mut faults = Vec::new();
    let tree = yaml::parse("", text, &mut faults);
    faults.is_empty().then_some(tree)
}

fn append(text: &str, path: &[Step], value: &Json) -> Option<String> {
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    Some(format!("{text}{gap}{}\n", block(path, value, 0)?))
}

/// Goes down as far as the tree reaches, and writes the rest there.
fn insert(text: &str, root: &Node, path: &[Step], value: &Json) -> Option<String> {
    let mut node = root;
    for (depth, step) in path.iter().enumerate() {
        let rest = &path[depth + 1..];
        match (&node.content, step) {
            (Content::Map(entries), Step::Name(name)) => {
                let Some((key, child)) = entries.iter().find(|(key, _)| key.name == *name) else {
                    return add_entry(text, node, &path[depth..], value);
                };
                if rest.is_empty() || child.is_null() {
                    return replace(text, key.bytes.end, child, &nested(rest, value)?);
                }
                node = child;
            }
            (Content::List(items), Step::Index(index)) if rest.is_empty() && *index == items.len() => {
                return add_item(text, node, items, value);
            }
            (Content::List(items), Step::Index(index)) => node = items.get(*index)?,
            _ => return None,
        }
    }
    None
}

/// A new last item of a list.
fn add_item(text: &str, list: &Node, items: &[Node], value: &Json) -> Option<String> {
    let start = list.bytes.start;
    if text.get(start..)?.starts_with('[') {
        let end = text.get(..list.bytes.end)?.rfind(']')?;
        let gap = if items.is_empty() { "" } else { ", " };
        let before = text.get(..end)?.trim_end();
        return Some(format!("{before}{gap}{}{}", written(value), text.get(end..)?));
    }
    let last = items.last()?;
    let dash = text.get(..last.bytes.start)?.rfind('-')?;
    let indent = dash - text.get(..dash)?.rfind('\n').map_or(0, |at| at + 1);
    let end = last_word(text, last);
    let end = text.get(end..)?.find('\n').map_or(text.len(), |at| end + at);
    let (before, after) = (text.get(..end)?, text.get(end..)?);
    Some(format!("{before}\n{}- {}{after}", " ".repeat(indent), written(value)))
}

/// Where the last word of a value ends: a block reaches as far as the next one, comments between them included.
fn last_word(text: &str, node: &Node) -> usize {
    let is_flow = text.get(node.bytes.start..).is_some_and(|rest| rest.starts_with(['[', '{']));
    match &node.content {
        Content::Map(entries) if !is_flow => match entries.last() {
            Some((key, value)) if value.bytes.is_empty() => key.bytes.end,
            Some((_, value)) => last_word(text, value),
            None => node.bytes.end,
        },
        Content::List(items) if !is_flow => items.last().map_or(node.bytes.end, |item| last_word(text, item)),
        Content::Map(_) | Content::List(_) | Content::Scalar(_) | Content::Bad => node.bytes.end,
    }
}

/// What stands behind a key's colon becomes the new value.
fn replace(text: &str, key_end: usize, old: &Node, new: &str) -> Option<String> {
    let colon = key_end + text.get(key_end..)?.find(':')?;
    let absent = old.bytes.is_empty();
    let end = if absent { colon + 1 } else { old.bytes.end };
    let end = colon + 1 + text.get(colon + 1..end)?.trim_end().len();
    Some(format!("{}: {new}{}", &text[..colon], &text[end..]))
}

/// A new first entry of a map.
fn add_entry(text: &str, map: &Node, path: &[Step], value: &Json) -> Option<String> {
    let at = map.bytes.start;
    let (before, after) = (text.get(..at)?, text.get(at..)?);
    match after.strip_prefix('{') {
        Some(inner) => {
            let gap = if inner.trim_start().starts_with('}') { "" } else { ", " };
            let (Step::Name(name), rest) = path.split_first()? else { return None };
            Some(format!("{before}{{{name}: {}{gap}{inner}", nested(rest, value)?))
        }
        None => {
            let indent = before.chars().rev().take_while(|c| *c != '\n').count();
            Some(format!("{before}{}\n{}{after}", block(path, value, indent)?, " ".repeat(indent)))
        }
    }
}

/// `a: {b: value}` for a path, in block style from an indentation on; the first line is not indented.
fn block(path: &[Step], value: &Json, indent: usize) -> Option<String> {
    let (Step::Name(name), rest) = path.split_first()? else { return None };
    match rest {
        [] => Some(format!("{name}: {}", written(value))),
        _ => Some(format!("{name}:\n{}{}", " ".repeat(indent + 2), block(rest, value, indent + 2)?)),
    }
}

/// The value below the rest of a path, in flow style.
fn nested(path: &[Step], value: &Json) -> Option<String> {
    match path.split_first() {
        None => Some(written(value)),
        Some((Step::Name(name), rest)) => Some(format!("{{{name}: {}}}", nested(rest, value)?)),
        Some((Step::Index(_), _)) => None,
    }
}

/// What a tree says, without places and styles.
pub(super) fn says(node: &Node) -> Json {
    match &node.content {
        Content::Scalar(scalar) if scalar.is_null() => Json::Null,
        Content::Scalar(scalar) => Json::from(scalar.text.as_str()),
        Content::List(items) => items.iter().map(says).collect(),
        Content::Map(entries) => entries.iter().map(|(key, node)| (key.name.clone(), says(node))).collect(),
        Content::Bad => Json::Null,
    }
}

fn put(tree: &mut Json, path: &[Step], value: &Json) -> Option<()> {
    match path.split_first() {
        None => *tree = value.clone(),
        Some((Step::Name(name), rest)) => {
            if tree.is_null() {
                *tree = Json::Object(Map::new());
            }
            put(tree.as_object_mut()?.entry(name).or_insert(Json::Null), rest, value)?;
        }
        Some((Step::Index(index), [])) if tree.as_array().is_some_and(|items| items.len() == *index) => {
            tree.as_array_mut()?.push(value.clone());
        }
        Some((Step::Index(index), rest)) => put(tree.get_mut(index)?, rest, value)?,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defaults::flow;
    use expect_test::{Expect, expect};
    use serde_json::json;

    fn check(text: &str, path: &str, value: Json, expected: Expect) {
        let steps: Vec<Step> = path
            .split('.')
            .map(|part| part.parse().map_or_else(|_| Step::Name(part.to_string()), Step::Index))
            .collect();
        expected.assert_eq(&splice(text, &steps, &value).unwrap_or_else(|| "(no)".to_string()));
    }

    #[test]
    fn a_value_is_replaced_and_the_rest_stays() {
        let text =
            "# mine\nrules:\n  a:\n    limit: 5 # five\n    other: [1,\n      2]\n\n  b: {x: 1, y: \"2\"}\n";
        check(
            text,
            "rules.a.limit",
            json!(3),
            expect![[r#"
                # mine
                rules:
                  a:
                    limit: 3 # five
                    other: [1,
                      2]

                  b: {x: 1, y: "2"}
            "#]],
        );
        check(
            text,
            "rules.a.other",
            json!("-250.50"),
            expect![[r#"
                # mine
                rules:
                  a:
                    limit: 5 # five
                    other: -250.50

                  b: {x: 1, y: "2"}
            "#]],
        );
        check(
            text,
            "rules.b.y",
            json!(null),
            expect![[r#"
                # mine
                rules:
                  a:
                    limit: 5 # five
                    other: [1,
                      2]

                  b: {x: 1, y: null}
            "#]],
        );
    }

    #[test]
    fn a_missing_key_is_added_where_it_belongs() {
        check(
            "",
            "rules.a.limit",
            json!(3),
            expect![[r#"
            rules:
              a:
                limit: 3
        "#]],
        );
        check(
            "# only a comment",
            "a",
            json!("08:30"),
            expect![[r#"
            # only a comment
            a: "08:30"
        "#]],
        );
        check(
            "rules:\n  b:\n    x: 1\n",
            "rules.a.limit",
            json!(3),
            expect![[r#"
            rules:
              a:
                limit: 3
              b:
                x: 1
        "#]],
        );
        check(
            "rules: {b: 1}\n",
            "rules.a.limit",
            json!(3),
            expect![[r#"
            rules: {a: {limit: 3}, b: 1}
        "#]],
        );
        check(
            "rules:\n# nothing yet\nother: 1\n",
            "rules.a.limit",
            json!(3),
            expect![[r#"
            rules: {a: {limit: 3}}
            # nothing yet
            other: 1
        "#]],
        );
        check(
            "l:\n- id: 1\n  x: 2\n- id: 2\n",
            "l.1.c.limit",
            json!(3),
            expect![[r#"
            l:
            - id: 1
              x: 2
            - c:
                limit: 3
              id: 2
        "#]],
        );
    }

    #[test]
    fn lists_are_replaced_whole() {
        check(
            "a:\n  days:\n  - 1\n  - 2\n  b: 1\n",
            "a.days",
            json!([3]),
            expect![[r#"
            a:
              days: [3]
              b: 1
        "#]],
        );
    }

    #[test]
    fn a_list_grows_at_its_end() {
        check("l: [1, 2 ]\n", "l.2", json!(3), expect!["l: [1, 2, 3]\n"]);
        check("l: []\n", "l.0", json!(3), expect!["l: [3]\n"]);
        check(
            "l:\n  # first\n  - id: 1 # one\n    x: 2 # two\n# end\nm: 1\n",
            "l.1",
            json!({"id": 2, "enabled": false}),
            expect![[r#"
                l:
                  # first
                  - id: 1 # one
                    x: 2 # two
                  - {id: 2, enabled: false}
                # end
                m: 1
            "#]],
        );
        check("l: [1]\n", "l.2", json!(3), expect!["(no)"]);
    }

    #[test]
    fn what_has_no_place_is_refused() {
        check("a: 5\n", "a.b", json!(1), expect!["(no)"]);
        check("- 1\n", "a", json!(1), expect!["(no)"]);
        check("a: [\n", "a", json!(1), expect!["(no)"]);
    }

    #[test]
    fn what_is_written_is_what_was_meant() {
        for value in ["-5", "1e3", "true", "30m", "*", "a b", "08:30", "${X}", "null"] {
            let text = splice("k: 1\n", &[Step::Name("k".to_string())], &json!(value)).unwrap();
            let tree = parse(&text).unwrap().unwrap();
            assert_eq!(says(&tree), json!({"k": value}), "{text}");
        }
        assert_eq!(flow(&json!([1, "a b"])), "[1, \"a b\"]");
    }
}
