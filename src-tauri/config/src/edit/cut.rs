//! One key taken out of a YAML text, everything else left as it stands: what applies without it applies
//! again. As in `splice`, the result is read back, so that an unusual layout leads to a refusal.

use serde_json::Value as Json;

use super::splice::{Step, parse, says};
use crate::yaml::{Content, Key, Node};

/// The text without the key, and without the maps that would be left empty; `None` when the layout does
/// not allow it. A key that is not there is no change.
pub(super) fn cut(text: &str, path: &[Step]) -> Option<String> {
    let Some(root) = parse(text)? else { return Some(text.to_string()) };
    let Some(trail) = trail(&root, path) else { return Some(text.to_string()) };
    let mut deepest = trail.len() - 1;
    while deepest > 0 && trail[deepest].is_some_and(|map| entries(map).len() == 1) {
        match trail[deepest - 1] {
            Some(_) => deepest -= 1,
            None => break,
        }
    }
    let (map, Step::Name(name)) = (trail[deepest]?, &path[deepest]) else { return None };
    let changed = without(text, map, name)?;
    let mut expected = says(&root);
    take(&mut expected, &path[..=deepest])?;
    let reached = parse(&changed)?.as_ref().map_or(Json::Null, says);
    let is_empty = |tree: &Json| tree.is_null() || tree.as_object().is_some_and(serde_json::Map::is_empty);
    (reached == expected || (is_empty(&reached) && is_empty(&expected))).then_some(changed)
}

/// The map in which each step of the path finds its key; `None` in place of a list. Nothing where the path
/// ends early.
fn trail<'a>(root: &'a Node, path: &[Step]) -> Option<Vec<Option<&'a Node>>> {
    let mut node = root;
    let mut maps = Vec::new();
    for step in path {
        let (map, next) = match (&node.content, step) {
            (Content::Map(_), Step::Name(name)) => (Some(node), node.child(name)?),
            (Content::List(items), Step::Index(index)) => (None, items.get(*index)?),
            _ => return None,
        };
        maps.push(map);
        node = next;
    }
    (!maps.is_empty()).then_some(maps)
}

fn entries(map: &Node) -> &[(Key, Node)] {
    match &map.content {
        Content::Map(entries) => entries,
        Content::Scalar(_) | Content::List(_) | Content::Bad => &[],
    }
}

fn without(text: &str, map: &Node, name: &str) -> Option<String> {
    let entries = entries(map);
    let index = entries.iter().position(|(key, _)| key.name == name)?;
    let (key, value) = &entries[index];
    let end = end_of(text, key, value)?;
    let next = entries.get(index + 1).map(|(next, _)| next.bytes.start);
    let range = match text.get(map.bytes.start..)?.starts_with('{') {
        true => match (next, index.checked_sub(1).map(|before| &entries[before])) {
            (Some(next), _) => key.bytes.start..next,
            (None, Some((key, value))) => end_of(text, key, value)?..end,
            (None, None) => key.bytes.start..end,
        },
        false => {
            let line = text.get(..key.bytes.start)?.rfind('\n').map_or(0, |at| at + 1);
            match text.get(line..key.bytes.start)?.trim().is_empty() {
                true => line..text.get(end..)?.find('\n').map_or(text.len(), |at| end + at + 1),
                // It stands behind the dash of a list.
                false => key.bytes.start..next?,
            }
        }
    };
    Some(format!("{}{}", text.get(..range.start)?, text.get(range.end..)?))
}

/// Where a value ends; for none, behind the colon of its key.
fn end_of(text: &str, key: &Key, value: &Node) -> Option<usize> {
    let colon = key.bytes.end + text.get(key.bytes.end..)?.find(':')? + 1;
    match value.bytes.is_empty() {
        true => Some(colon),
        false => Some(colon + text.get(colon..value.bytes.end)?.trim_end().len()),
    }
}

fn take(tree: &mut Json, path: &[Step]) -> Option<()> {
    let (first, rest) = path.split_first()?;
    match (first, rest.is_empty()) {
        (Step::Name(name), true) => tree.as_object_mut()?.remove(name).map(drop),
        (Step::Name(name), false) => take(tree.get_mut(name)?, rest),
        (Step::Index(index), _) => take(tree.get_mut(index)?, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, path: &str, expected: &str) {
        let steps: Vec<Step> = path
            .split('.')
            .map(|part| part.parse().map_or_else(|_| Step::Name(part.to_string()), Step::Index))
            .collect();
        assert_eq!(cut(text, &steps).as_deref(), Some(expected), "{path} of {text}");
    }

    #[test]
    fn a_key_goes_with_its_line_and_the_rest_stays() {
        let text = "# mine\nrules:\n  a:\n    limit: 5 # five\n    other: [1,\n      2]\n  b: {x: 1, y: 2}\n";
        check(text, "rules.a.limit", &text.replace("    limit: 5 # five\n", ""));
        check(text, "rules.a.other", &text.replace("    other: [1,\n      2]\n", ""));
        check(text, "rules.b.x", &text.replace("x: 1, ", ""));
        check(text, "rules.b.y", &text.replace(", y: 2", ""));
        check(text, "rules.a.none", text);
        check("", "rules.a", "");
    }

    #[test]
    fn a_map_that_would_be_empty_goes_too() {
        check("rules:\n  a:\n    limit: 5\n  b: 1\n", "rules.a.limit", "rules:\n  b: 1\n");
        check("rules: {a: {limit: 5}}\nother: 1\n", "rules.a.limit", "other: 1\n");
        check("rules:\n  a: {limit: 5}\n", "rules.a.limit", "");
        let list = "l:\n- id: 1\n  own:\n    a: 2\n- id: 2\n";
        check(list, "l.0.own.a", "l:\n- id: 1\n- id: 2\n");
        check("l:\n- own: {a: 2}\n  id: 2\n", "l.0.own.a", "l:\n- id: 2\n");
    }
}
