//! The promise: the servers answer as their table says, the book's last one is right in everything, and
//! each scenario finds a fault that is there on purpose.
//!
//! A server that is not installed is left out, with a word. With `CI` set, nginx has to be there.

use book::root;
use libtest_mimic::{Arguments, Failed, Trial};
use servers::{
    adapters::{servers, Server},
    broken::{self, Broken},
    conformance::{ask, ask_all, is_close, table, told, Answer, Outcome, Scenario},
};
use std::{
    collections::BTreeMap,
    env, fs,
    path::Path,
    process::{Command, ExitCode},
    sync::{LazyLock, Mutex, OnceLock},
    thread,
};

const FILE: &str = "recorded/servers.txt";
const HEAD: &str =
    "Compared with the servers by crates/servers/tests/conformance.rs, and written by \
    `UPDATE=1 cargo test -p servers table`.";

/// The last server of the book, which is to be right in everything.
const BOOK: &str = "20-37";

/// The scenario that the page tells, of two servers.
const STORY: Scenario = Scenario::HalfSecondHead;
const STORIES: [(&str, &str); 2] = [("story-axum", "axum"), ("story-book", BOOK)];

/// The program that plays the scenarios.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_conformance"))
}

/// Those whose programs are not on this machine.
const INSTALLED: [&str; 3] = ["nginx", "Go", "Node"];

/// The answers of a server, which is asked once; or why it cannot be asked.
fn answers(name: &'static str) -> Result<Vec<Answer>, String> {
    type Asked = OnceLock<Result<Vec<Answer>, String>>;
    static ASKED: LazyLock<Mutex<BTreeMap<&str, &'static Asked>>> = LazyLock::new(Mutex::default);
    let asked = {
        let mut all = ASKED
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        *all.entry(name).or_insert_with(|| Box::leak(Box::default()))
    };
    asked
        .get_or_init(|| {
            let name = [name.to_owned()];
            Server::named(&name)?.prepare()?;
            Ok(ask_all(program(), &name))
        })
        .clone()
}

/// The servers of the table that are here, with their answers.
fn columns() -> Result<Vec<(&'static str, Vec<Answer>)>, Failed> {
    let names: Vec<_> = servers().iter().map(|server| server.name).collect();
    let columns: Vec<_> = thread::scope(|scope| {
        let asked = names
            .iter()
            .map(|name| (*name, scope.spawn(|| answers(name))));
        let asked: Vec<_> = asked.collect();
        let joined = asked
            .into_iter()
            .map(|(name, thread)| (name, thread.join()));
        joined.collect()
    });
    let mut here = Vec::new();
    for (name, answers) in columns {
        match answers.map_err(|_| format!("{name} could not be asked"))? {
            Ok(answers) => here.push((name, answers)),
            Err(error) if INSTALLED.contains(&name) && !is_needed(name) => {
                eprintln!("{name} is left out: {error}");
            }
            Err(error) => return Err(format!("{name}: {error}").into()),
        }
    }
    Ok(here)
}

fn is_needed(name: &str) -> bool {
    name == "nginx" && env::var_os("CI").is_some() || is_update()
}

fn is_update() -> bool {
    env::var_os("UPDATE").is_some_and(|update| update == "1")
}

/// The versions of the published servers: what is locked, and what is installed here.
fn versions() -> Result<Vec<String>, Failed> {
    let lock = fs::read_to_string(root().join("Cargo.lock"))?;
    let mut versions = Vec::new();
    for name in ["tiny_http", "axum", "actix-web"] {
        let package = lock.split_once(&format!("name = \"{name}\"\nversion = \""));
        let version = package.and_then(|(_, rest)| rest.split('"').next());
        let version = version.ok_or_else(|| format!("Cargo.lock has no {name}"))?;
        versions.push(format!("{name} {version}"));
    }
    if is_update() {
        for (name, program, option) in [
            ("nginx", "nginx", "-v"),
            ("Go", "go", "version"),
            ("Node", "node", "--version"),
        ] {
            let said = Command::new(program).arg(option).output()?;
            let said = [said.stdout, said.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            let mut words = said.split(|char: char| char != '.' && !char.is_ascii_digit());
            let version = words.find(|word| word.contains('.'));
            let version =
                version.ok_or_else(|| format!("{name} does not say its version: {said}"))?;
            versions.push(format!("{name} {version}"));
        }
    }
    Ok(versions)
}

/// With `UPDATE=1`, writes the table instead of comparing it. Then what depends on who is quicker is
/// played more often.
fn check_table() -> Result<(), Failed> {
    let columns = columns()?;
    let versions = versions()?;
    let path = root().join(FILE);
    let mut stories = Vec::new();
    for (anchor, server) in STORIES {
        let told = told(program(), server, STORY)?;
        stories.push(format!("ANCHOR: {anchor}\n{told}ANCHOR_END: {anchor}\n"));
    }
    if is_update() {
        let (table, list) = table(&columns);
        let stories = stories.join("\n");
        let versions = versions.join(", ");
        let text = format!(
            "{HEAD}\n\nANCHOR: table\n{table}ANCHOR_END: table\n\nANCHOR: versions\n{versions}.\nANCHOR_END: versions\n\n\
             ANCHOR: list\n{list}ANCHOR_END: list\n\n{stories}"
        );
        return Ok(fs::write(path, text)?);
    }
    let recorded = fs::read_to_string(path)?;
    let mut wrong: Vec<_> = stories
        .iter()
        .filter(|story| !recorded.contains(*story))
        .map(|story| format!("{FILE} tells another story than {story}"))
        .collect();
    for version in versions {
        if !recorded.contains(&format!("{version},")) {
            wrong.push(format!(
                "{FILE} was written with another version than {version}"
            ));
        }
    }
    for (name, answers) in &columns {
        let shown = column(&recorded, name).ok_or_else(|| format!("{FILE} has no {name}"))?;
        for ((scenario, answer), shown) in Scenario::ALL.iter().zip(answers).zip(shown) {
            let Answer { outcome, detail } = answer;
            let is_same = match outcome {
                Outcome::NotAsked => true, // this system does not allow it
                // Where it depends on who is quicker, another run may be luckier, or less.
                _ if is_close(*scenario) && *name != BOOK => true,
                _ => outcome.words() == shown,
            };
            if !is_same {
                let found = outcome.words();
                wrong.push(format!(
                    "{name}, {}: {FILE} says {shown}, and it is {found} {detail}",
                    scenario.words()
                ));
            }
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.join("\n").into()),
    }
}

/// What the table says of a server, in the order of the scenarios.
fn column(recorded: &str, name: &str) -> Option<Vec<String>> {
    let rows = recorded.lines().filter(|line| line.starts_with('|'));
    let mut rows = rows.map(|row| row.split(" | ").map(|cell| cell.trim_matches([' ', '|'])));
    let place = rows.next()?.position(|cell| cell == name)?;
    let cells = rows
        .skip(1)
        .map(|mut row| row.nth(place).map(str::to_owned));
    cells.collect()
}

fn check_book() -> Result<(), Failed> {
    let answers = answers(BOOK)?;
    let wrong = Scenario::ALL
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| !matches!(answer.outcome, Outcome::Right | Outcome::NotAsked));
    match wrong.collect::<Vec<_>>().as_slice() {
        [] => Ok(()),
        wrong => Err(format!("{wrong:?}").into()),
    }
}

/// A program of somebody else is asked by its path.
fn check_yours() -> Result<(), Failed> {
    let name = BOOK.to_owned();
    Server::named(std::slice::from_ref(&name))?.prepare()?;
    let path = servers::listing::program(&name);
    let answer = ask(
        program(),
        &[path.to_string_lossy().into_owned()],
        Scenario::HandlerRunning,
    );
    match answer.outcome {
        Outcome::Right => Ok(()),
        _ => Err(format!("{answer:?}").into()),
    }
}

/// In each scenario, some fault shows.
fn check_scenarios() -> Result<(), Failed> {
    let mut scenarios = Scenario::ALL.iter();
    let is_found = |scenario: &&Scenario| {
        let mut faults = broken::ALL.iter();
        !faults.any(|broken| broken.found_by.contains(scenario))
    };
    match scenarios.find(is_found) {
        None => Ok(()),
        Some(scenario) => Err(format!("no broken server goes wrong in {scenario:?}").into()),
    }
}

/// The page says how many there are.
fn check_said() -> Result<(), Failed> {
    let page = fs::read_to_string(root().join("src/beside-real-servers.md"))?;
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let (scenarios, faults) = (Scenario::ALL.len(), broken::ALL.len());
    for said in [
        format!("There are {scenarios} such scenarios"),
        format!("Each of the {scenarios} scenarios"),
        format!("asked of {faults} servers that are wrong on purpose"),
    ] {
        if !page.contains(&said) {
            return Err(format!("the page does not say: {said}").into());
        }
    }
    Ok(())
}

/// The scenarios that are to find the fault do.
fn check_found(broken: &Broken) -> Result<(), Failed> {
    let name = [broken.name.to_owned()];
    Server::named(&name)?.prepare()?;
    let answers: Vec<_> = thread::scope(|scope| {
        let asked = broken.found_by.iter().map(|scenario| {
            let name = &name;
            (
                scenario,
                scope.spawn(move || ask(program(), name, *scenario)),
            )
        });
        let asked: Vec<_> = asked.collect();
        let joined = asked
            .into_iter()
            .map(|(scenario, thread)| (scenario, thread.join()));
        joined.collect()
    });
    for (scenario, answer) in answers {
        let answer = answer.map_err(|_| format!("{scenario:?} could not be asked"))?;
        if answer.outcome == Outcome::Right {
            return Err(format!("{scenario:?} does not find it").into());
        }
    }
    Ok(())
}

/// And no others do.
fn check_exactly(broken: &Broken) -> Result<(), Failed> {
    let name = [broken.name.to_owned()];
    Server::named(&name)?.prepare()?;
    let answers = ask_all(program(), &name);
    let both = Scenario::ALL.iter().zip(answers);
    let wrong = both.filter(|(scenario, answer)| {
        let is_by_chance = broken.perhaps.contains(scenario);
        answer.outcome != Outcome::Right && !is_by_chance
    });
    let wrong: Vec<_> = wrong
        .map(|(scenario, answer)| (*scenario, answer))
        .collect();
    let found: Vec<_> = wrong.iter().map(|(scenario, _)| *scenario).collect();
    let is_expected = |scenario: &&Scenario| broken.found_by.contains(scenario);
    let expected: Vec<_> = Scenario::ALL.iter().filter(is_expected).copied().collect();
    match found == expected {
        true => Ok(()),
        false => Err(format!("it is found by {wrong:#?}, not by {expected:?}").into()),
    }
}

fn main() -> ExitCode {
    let mut trials = vec![
        Trial::test("table", check_table),
        Trial::test("the_last_server_of_the_book_is_right", check_book),
        Trial::test("each_scenario_can_fail", check_scenarios),
        Trial::test("the_page_says_how_many_there_are", check_said),
        Trial::test("a_program_is_asked_by_its_path", check_yours),
    ];
    for broken in broken::ALL {
        let name = broken.name;
        trials.push(Trial::test(format!("broken::{name}::is_found"), || {
            check_found(broken)
        }));
        let exactly = Trial::test(format!("broken::{name}::exactly"), || check_exactly(broken));
        trials.push(exactly.with_ignored_flag(true)); // it takes minutes for all of them
    }
    if is_update() {
        env::set_var("ROUNDS", "10"); // nothing else runs yet
    }
    let mut arguments = Arguments::from_args();
    // They wait more than they work, and so few of their scenarios are asked at a time.
    arguments.test_threads.get_or_insert(8);
    libtest_mimic::run(&arguments, trials).exit_code()
}
