//! The rules as they are written, in a scenario's file.

use super::{LineRule, Order, Rules, Term};
use anyhow::{bail, ensure, Context, Result};
use regex::Regex;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The rules as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::transcripts) struct RawRules {
    same: Option<bool>,
    lines: Option<BTreeMap<String, RawLine>>,
    #[serde(default)]
    order: Vec<String>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a pattern, or { pattern = '…', times = N or [MIN, MAX], once_per = \"GROUP\" }"
)]
enum RawLine {
    Once(String),
    Counted(RawCounted),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCounted {
    pattern: String,
    times: Option<Times>,
    once_per: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Times {
    Exactly(usize),
    Between(usize, usize),
}

impl RawRules {
    pub(in crate::transcripts) fn parse(self) -> Result<Rules> {
        let lines = match (self.same, self.lines) {
            (Some(true), None) if self.order.is_empty() => return Ok(Rules::Same),
            (None, Some(lines)) => lines,
            _ => bail!("rules are either `same = true`, or `lines` and an `order`"),
        };
        let lines = lines
            .into_iter()
            .map(|(name, line)| {
                let rule = line.parse().with_context(|| format!("lines `{name}`"))?;
                Ok((name, rule))
            })
            .collect::<Result<BTreeMap<_, _>>>()?;
        let mut order = Vec::new();
        for written in &self.order {
            let parsed = parse_order(written, &lines);
            order.extend(parsed.with_context(|| format!("order `{written}`"))?);
        }
        Ok(Rules::Lines { lines, order })
    }
}

impl RawLine {
    fn parse(self) -> Result<LineRule> {
        let RawCounted {
            pattern,
            times,
            once_per,
        } = match self {
            RawLine::Once(pattern) => RawCounted {
                pattern,
                times: None,
                once_per: None,
            },
            RawLine::Counted(counted) => counted,
        };
        let (least, most) = match times {
            None => (1, 1),
            Some(Times::Exactly(times)) => (times, times),
            Some(Times::Between(least, most)) => (least, most),
        };
        let rule = LineRule {
            pattern: Regex::new(&format!("^(?:{pattern})$"))?,
            least,
            most,
            once_per,
        };
        if let Some(group) = &rule.once_per {
            rule.ensure_has(group)?;
        }
        Ok(rule)
    }
}

impl LineRule {
    fn ensure_has(&self, group: &str) -> Result<()> {
        ensure!(
            self.pattern.capture_names().any(|name| name == Some(group)),
            "the pattern has no group `{group}`: write it as (?<{group}>…)"
        );
        Ok(())
    }
}

fn parse_order(written: &str, lines: &BTreeMap<String, LineRule>) -> Result<Vec<Order>> {
    let names: Vec<&str> = written.split('<').collect();
    ensure!(names.len() > 1, "an order is written `one < other`");
    names
        .windows(2)
        .map(|pair| {
            let order = Order {
                left: parse_term(pair[0], lines)?,
                right: parse_term(pair[1], lines)?,
            };
            let each = |term: &Term| matches!(term.group, Some((_, None)));
            ensure!(
                each(&order.left) == each(&order.right),
                "`{}` and `{}` are compared by a group on both sides, or on neither",
                order.left,
                order.right
            );
            Ok(order)
        })
        .collect()
}

fn parse_term(written: &str, lines: &BTreeMap<String, LineRule>) -> Result<Term> {
    let written = written.trim();
    let (name, group) = match written.split_once('{') {
        None => (written, None),
        Some((name, rest)) => {
            let group = rest
                .strip_suffix('}')
                .with_context(|| format!("`{written}` lacks its `}}`"))?;
            let (group, value) = match group.split_once('=') {
                None => (group, None),
                Some((group, value)) => (group, Some(value.to_owned())),
            };
            (name, Some((group.to_owned(), value)))
        }
    };
    let rule = lines
        .get(name)
        .with_context(|| format!("there are no lines `{name}`"))?;
    if let Some((group, _)) = &group {
        rule.ensure_has(group)?;
    }
    Ok(Term {
        name: name.to_owned(),
        group,
    })
}
