//! The tables of the book that say how a search ended.

use crate::page::Page;

/// A row of a table: a case, and what the page says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Where it stands: `src/PAGE:LINE`.
    pub place: String,
    /// The listing, or the change to one, that is searched.
    pub listing: String,
    pub workers: usize,
    pub jobs: usize,
    /// Every job waits until the others have begun too.
    pub meet: bool,
    pub searched: Searched,
    pub runs: usize,
    pub said: Endings,
}

/// Which runs of a case are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Searched {
    /// Every order in which its threads can come.
    Orders,
    /// One of all orders that differ in nothing that a thread could notice.
    Classes,
}

impl Searched {
    fn read(cell: &str) -> Option<Searched> {
        match cell {
            "orders" => Some(Searched::Orders),
            "classes" => Some(Searched::Classes),
            _ => None,
        }
    }
}

/// How many runs ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Endings {
    pub finish: usize,
    pub deadlock: usize,
    pub panic: usize,
}

const HEAD: &str = "| Step | Workers | Jobs | Searched | Runs | finish | deadlock | panic |";

/// The rows of the tables that have this head, each with the number of its line.
pub fn below<'t>(text: &'t str, head: &str) -> Vec<(usize, &'t str)> {
    let mut rows = Vec::new();
    let mut in_table = false;
    for (number, line) in (1..).zip(text.lines()) {
        if !line.starts_with('|') {
            in_table = false;
        } else if cells(line) == cells(head) {
            in_table = true;
        } else if in_table && !line.contains("--") {
            rows.push((number, line));
        }
    }
    rows
}

/// What stands in the cells of a row.
pub fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
}

/// Reads the tables headed `| Step | Workers | Jobs | Searched | Runs | finish | deadlock | panic |`.
///
/// # Errors
///
/// Names the place of a row that cannot be read.
pub fn rows(page: &Page) -> Result<Vec<Row>, String> {
    let rows = below(page.text, HEAD).into_iter().map(|(number, line)| {
        let place = page.place(number).to_string();
        parse_row(&place, &cells(line))
            .ok_or_else(|| format!("{place}: cannot read this row of the table: {line}"))
    });
    rows.collect()
}

/// A number as the tables have it: `1,865`.
pub fn with_commas(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn parse_row(place: &str, cells: &[&str]) -> Option<Row> {
    let &[step, workers, jobs, searched, runs, finish, deadlock, panic] = cells else {
        return None;
    };
    let number = |cell: &str| cell.replace(',', "").parse::<usize>().ok();
    Some(Row {
        place: place.to_owned(),
        listing: step.trim_matches('`').to_owned(),
        workers: number(workers)?,
        jobs: number(jobs.trim_end_matches(" that meet"))?,
        meet: jobs.ends_with(" that meet"),
        searched: Searched::read(searched)?,
        runs: number(runs)?,
        said: Endings {
            finish: number(finish)?,
            deadlock: number(deadlock)?,
            panic: number(panic)?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "| Step | Workers | Jobs | Searched | Runs | finish | deadlock | panic |\n\
         | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |\n";

    #[test]
    fn a_row_is_read_with_its_place() {
        let text =
            format!("{HEAD}| `a-step` | 2 | 2 that meet | orders | 1,388 | 0 | 1,388 | 0 |\n");
        let rows = rows(&Page::parse("src/page.md", &text)).unwrap();
        let [row] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(
            (row.place.as_str(), row.listing.as_str()),
            ("src/page.md:3", "a-step")
        );
        assert_eq!((row.workers, row.jobs, row.meet), (2, 2, true));
        assert_eq!(row.searched, Searched::Orders);
        assert_eq!((row.runs, row.said.deadlock), (1388, 1388));
    }

    #[test]
    fn a_row_that_cannot_be_read_is_an_error_with_its_place() {
        for row in [
            "| `a-step` | two | 2 | orders | 1 | 0 | 1 | 0 |",
            "| `a-step` | 2 | 2 | all of them | 1 | 0 | 1 | 0 |",
            "| `a-step` | 2 | 2 | 1 | 0 | 1 | 0 |",
        ] {
            let text = format!("{HEAD}{row}\n");
            let error = rows(&Page::parse("src/page.md", &text)).unwrap_err();
            assert!(
                error.starts_with("src/page.md:3: cannot read this row"),
                "{error}"
            );
        }
    }
}
