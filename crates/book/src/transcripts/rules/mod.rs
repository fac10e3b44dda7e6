mod written;

pub(super) use written::RawRules;

use super::transcript::typed;
use anyhow::{bail, ensure, Result};
use regex::{Captures, Regex};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What a terminal may show, typed commands aside, in every run.
pub enum Rules {
    /// `same = true`: exactly what was recorded.
    Same,
    /// `lines` and `order`: each line matches one of the named patterns, from its
    /// first character to its last.
    ///
    /// `lines.NAME = 'PATTERN'` is a line that is shown once;
    /// `lines.NAME = { pattern = 'PATTERN', times = 2 }` one that is shown twice, and
    /// `times = [0, 2]` one that is shown at most twice. With `once_per = "GROUP"`,
    /// no two of the lines agree in that named group of the pattern.
    ///
    /// `order` holds what comes before what: `"a < b < c"` when every line `a` comes
    /// before every line `b`, and every `b` before every `c`. `a{group=7}` stands for
    /// the lines `a` only that have `7` in that named group, and `"a{group} < b{group}"`
    /// compares only lines that agree in it.
    Lines {
        /// The patterns, by name.
        lines: BTreeMap<String, LineRule>,
        /// Each pair of an order's neighbors.
        order: Vec<Order>,
    },
}

/// A kind of line, and how often it is shown.
pub struct LineRule {
    pattern: Regex,
    least: usize,
    most: usize,
    once_per: Option<String>,
}

/// Every line on the left comes before every line on the right.
pub struct Order {
    left: Term,
    right: Term,
}

/// Lines of one kind: all, those with a value in a group, or each with its like.
struct Term {
    name: String,
    group: Option<(String, Option<String>)>,
}

/// A line that was shown, with what its pattern captured.
struct Shown<'t> {
    place: usize,
    line: &'t str,
    captures: Captures<'t>,
}

impl Rules {
    /// Checks a terminal's text; `recorded` is what it should be the same as, if
    /// there is something yet.
    ///
    /// # Errors
    ///
    /// Says which rule is broken, by which line.
    pub fn check(&self, text: &str, recorded: Option<&str>) -> Result<()> {
        match self {
            Rules::Same => {
                if let Some(recorded) = recorded.filter(|recorded| *recorded != text) {
                    bail!(
                        "this should be the same in every run, but what was recorded is:\n\n\
                         {recorded}"
                    );
                }
                Ok(())
            }
            Rules::Lines { lines, order } => {
                let shown = sort(lines, text)?;
                for (name, rule) in lines {
                    rule.check(name, &shown[name.as_str()])?;
                }
                for order in order {
                    order.check(&shown)?;
                }
                Ok(())
            }
        }
    }
}

/// The lines of the text by the name of their pattern.
fn sort<'t, 'r>(
    lines: &'r BTreeMap<String, LineRule>,
    text: &'t str,
) -> Result<BTreeMap<&'r str, Vec<Shown<'t>>>> {
    let mut sorted: BTreeMap<&str, Vec<Shown>> = lines
        .keys()
        .map(|name| (name.as_str(), Vec::new()))
        .collect();
    let shown = text.lines().filter(|line| typed(line).is_none());
    for (place, line) in shown.enumerate() {
        let mut kinds = lines
            .iter()
            .filter_map(|(name, rule)| Some((name.as_str(), rule.pattern.captures(line)?)));
        let Some((name, captures)) = kinds.next() else {
            bail!("no rule allows this line: {line:?}");
        };
        if let Some((other, _)) = kinds.next() {
            bail!("the rules `{name}` and `{other}` both match this line: {line:?}");
        }
        let shown = Shown {
            place,
            line,
            captures,
        };
        sorted.entry(name).or_default().push(shown);
    }
    Ok(sorted)
}

impl LineRule {
    fn check(&self, name: &str, shown: &[Shown]) -> Result<()> {
        let LineRule { least, most, .. } = self;
        if !(*least..=*most).contains(&shown.len()) {
            let wanted = match (least, most) {
                (least, most) if least == most => format!("{least}"),
                (least, most) => format!("{least} to {most}"),
            };
            bail!(
                "lines `{name}`: there should be {wanted}, and there are {}",
                shown.len()
            );
        }
        if let Some(group) = &self.once_per {
            let mut seen = BTreeSet::new();
            for shown in shown {
                ensure!(
                    seen.insert(shown.value(group)),
                    "lines `{name}`: two agree in `{group}`, the second being {:?}",
                    shown.line
                );
            }
        }
        Ok(())
    }
}

impl Order {
    fn check(&self, shown: &BTreeMap<&str, Vec<Shown>>) -> Result<()> {
        for left in self.left.lines(shown) {
            for right in self.right.lines(shown) {
                let like = match (&self.left.group, &self.right.group) {
                    (Some((left_group, None)), Some((right_group, None))) => {
                        left.value(left_group) == right.value(right_group)
                    }
                    _ => true,
                };
                ensure!(
                    !like || left.place < right.place,
                    "order `{} < {}`: {:?} should come before {:?}",
                    self.left,
                    self.right,
                    left.line,
                    right.line
                );
            }
        }
        Ok(())
    }
}

impl Term {
    fn lines<'s, 't>(
        &'s self,
        shown: &'s BTreeMap<&str, Vec<Shown<'t>>>,
    ) -> impl Iterator<Item = &'s Shown<'t>> {
        shown[self.name.as_str()]
            .iter()
            .filter(move |shown| match &self.group {
                Some((group, Some(value))) => shown.value(group) == Some(value),
                _ => true,
            })
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.group {
            None => write!(f, "{}", self.name),
            Some((group, None)) => write!(f, "{}{{{group}}}", self.name),
            Some((group, Some(value))) => write!(f, "{}{{{group}={value}}}", self.name),
        }
    }
}

impl Shown<'_> {
    fn value(&self, group: &str) -> Option<&str> {
        Some(self.captures.name(group)?.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        order = ["job{worker} < gone{worker}", "stop < gone", "gone{worker=0} < gone{worker=1}", "gone < end"]
        [lines]
        job = { pattern = 'Worker (?<worker>\d) works', times = [1, 3] }
        stop = 'Stopping\.'
        gone = { pattern = 'Worker (?<worker>\d) is gone', times = 2, once_per = "worker" }
        end = { pattern = 'End', times = [0, 1] }
    "#;

    const GOOD: &str = "$ serve\nWorker 1 works\nStopping.\nWorker 0 works\nWorker 0 is gone\n\
                        Worker 1 is gone\nEnd\n";

    fn rules(text: &str) -> Result<Rules> {
        toml::from_str::<RawRules>(text).unwrap().parse()
    }

    /// What is wrong with a good text once `from` is replaced.
    fn error(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replace(from, to);
        let broken = rules(RULES).unwrap().check(&text, None);
        broken.unwrap_err().to_string()
    }

    #[test]
    fn a_text_that_obeys_is_accepted() {
        rules(RULES).unwrap().check(GOOD, None).unwrap();
        let without_end = GOOD.replace("End\n", "");
        rules(RULES).unwrap().check(&without_end, None).unwrap();
    }

    #[test]
    fn a_line_too_many_is_found() {
        let error = error("Stopping.\n", "Stopping.\nStopping.\n");
        assert_eq!(error, "lines `stop`: there should be 1, and there are 2");
    }

    #[test]
    fn a_missing_line_is_found() {
        let error = error("Worker 0 is gone\n", "");
        assert_eq!(error, "lines `gone`: there should be 2, and there are 1");
    }

    #[test]
    fn a_missing_line_made_up_for_by_another_is_found() {
        let error = error("Worker 0 is gone\n", "Worker 1 is gone\n");
        assert!(error.contains("two agree in `worker`"), "{error}");
    }

    #[test]
    fn an_unknown_line_is_found_also_when_it_only_contains_a_known_one() {
        let error = error("Stopping.\n", "Stopping. Now.\n");
        assert_eq!(error, r#"no rule allows this line: "Stopping. Now.""#);
    }

    #[test]
    fn a_wrong_order_is_found() {
        let all = error(
            "Stopping.\nWorker 0 works\nWorker 0 is gone\n",
            "Worker 0 works\nWorker 0 is gone\nStopping.\n",
        );
        assert!(all.starts_with("order `stop < gone`"), "{all}");

        let like = error(
            "Worker 0 works\nWorker 0 is gone\n",
            "Worker 0 is gone\nWorker 0 works\n",
        );
        assert!(
            like.starts_with("order `job{worker} < gone{worker}`"),
            "{like}"
        );

        let one = error(
            "Worker 0 is gone\nWorker 1 is gone\n",
            "Worker 1 is gone\nWorker 0 is gone\n",
        );
        assert!(
            one.starts_with("order `gone{worker=0} < gone{worker=1}`"),
            "{one}"
        );
    }

    #[test]
    fn a_line_that_two_rules_match_is_refused() {
        let rules = rules("lines.a = 'x+'\nlines.b = 'xx?'").unwrap();
        let error = rules.check("x\n", None).unwrap_err().to_string();
        assert!(error.contains("`a` and `b` both match"), "{error}");
    }

    #[test]
    fn the_same_text_is_the_recorded_one_to_the_letter() {
        let same = rules("same = true").unwrap();
        same.check("$ ask\nanswer\n", None).unwrap();
        same.check("$ ask\nanswer\n", Some("$ ask\nanswer\n"))
            .unwrap();
        assert!(same
            .check("$ ask\nanswer\n", Some("$ ask\nanswer \n"))
            .is_err());
    }

    #[test]
    fn rules_that_say_nothing_are_refused() {
        for (written, expected) in [
            ("same = false", "either `same = true`"),
            ("same = true\nlines.a = 'x'", "either `same = true`"),
            ("order = ['a']\nlines.a = 'x'", "an order is written"),
            ("order = ['a < b']\nlines.a = 'x'", "there are no lines `b`"),
            ("order = ['a < a{n=1}']\nlines.a = 'x'", "no group `n`"),
            ("order = ['a < a{n=1']\nlines.a = 'x'", "lacks its `}`"),
            (
                "order = ['a{n} < b']\nlines.a = '(?<n>x)'\nlines.b = 'y'",
                "or on neither",
            ),
            (
                "lines.a = { pattern = 'x', once_per = 'n' }",
                "no group `n`",
            ),
        ] {
            let error = match rules(written) {
                Ok(_) => panic!("{written} should be refused"),
                Err(error) => format!("{error:#}"),
            };
            assert!(error.contains(expected), "{written}: {error}");
        }
    }
}
