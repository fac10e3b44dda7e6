//! Draws how many times better than its peer a server is, in each round, on a logarithmic scale.

use super::{median, Round, PEER, SERVERS};
use std::fmt::Write as _;

/// Where the peer is, and what ten times better takes.
const EQUAL: f64 = 164.0;
const DECADE: f64 = 84.0;
/// What is beyond is drawn at the edge.
const EDGES: [f64; 2] = [0.1, 100.0];

/// A round's value, of which more is better.
type Good = fn(&Round) -> f64;

const ROWS: [(&str, Good); 6] = [
    ("Requests, connections kept", |round| {
        round.kept.requests_per_second
    }),
    ("Requests, a connection for each", |round| {
        round.closed.requests_per_second
    }),
    ("99th percentile", |round| {
        1.0 / round.kept.percentile_99.as_secs_f64()
    }),
    ("99th percentile beside slow clients", |round| {
        1.0 / round.beside_slow.percentile_99.as_secs_f64()
    }),
    ("Memory for an idle client", |round| 1.0 / round.memory),
    ("SIGTERM to the end", |round| 1.0 / round.stop.as_secs_f64()),
];

/// Draws a line for each server but the peer in each row: a point for each round, and a mark at their
/// median.
pub(super) fn draw(rounds: &[Vec<Round>]) -> String {
    let peer = SERVERS[PEER].name;
    let others = (0..SERVERS.len()).filter(|of| *of != PEER);
    let bottom = 20.0 + 62.0 * ROWS.len() as f64;
    let mut drawn = String::new();
    for (times, name) in [
        (EDGES[0], "a tenth".to_owned()),
        (1.0, format!("as {peer}")),
        (10.0, "10 times".to_owned()),
        (EDGES[1], "100 times".to_owned()),
    ] {
        let x = across(times);
        let _ = writeln!(
            drawn,
            r#"<path class="grid" d="M{x:.0} 4V{bottom}"/><text class="small" x="{x:.0}" y="{}" text-anchor="middle">{name}</text>"#,
            bottom + 18.0
        );
    }
    let mut described = format!("How many times better than {peer}. ");
    for (row, (what, good)) in ROWS.iter().enumerate() {
        let top = 20.0 + 62.0 * row as f64;
        let _ = writeln!(
            drawn,
            r#"<text class="small label" x="0" y="{top}">{what}</text>"#
        );
        let _ = write!(described, "{what}: ");
        for (line, of) in others.clone().enumerate() {
            let name = SERVERS[of].name;
            let y = top + 18.0 + 18.0 * line as f64;
            let ratios = rounds
                .iter()
                .map(|round| good(&round[of]) / good(&round[PEER]));
            let middle = median(ratios.clone());
            let _ = writeln!(
                drawn,
                r#"<text class="small" x="0" y="{}">{name}</text><path class="end" d="M{:.0} {}v12"/>"#,
                y + 4.0,
                across(middle),
                y - 6.0
            );
            for ratio in ratios {
                let x = across(ratio);
                let _ = writeln!(
                    drawn,
                    r#"<circle class="point" cx="{x:.0}" cy="{y}" r="3"/>"#
                );
            }
            let _ = write!(described, "{name} {middle:.2}, ");
        }
    }
    let described = described.trim_end_matches([' ', ',']);
    format!(
        "<svg class=\"picture\" viewBox=\"-4 0 370 {height}\" role=\"img\" \
         aria-labelledby=\"beside-title beside-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"beside-title\">Servers beside {peer}</title>\n\
         <desc id=\"beside-desc\">{described}.</desc>\n{drawn}</svg>\n",
        height = bottom + 26.0
    )
}

fn across(times: f64) -> f64 {
    EQUAL + times.clamp(EDGES[0], EDGES[1]).log10() * DECADE
}

#[cfg(test)]
mod tests {
    use super::{super::tests::round, *};

    #[test]
    fn better_is_further_to_the_right() {
        // In both rounds, the second is ten times the peer, and the third is a thousandth.
        let rounds = [1.0, 7.0].map(|factor| {
            [1.0, 10.0, 0.001]
                .map(|of| round(factor * of))
                .into_iter()
                .collect()
        });
        let drawn = draw(&rounds);
        let (better, worse) = (across(10.0), across(EDGES[0]));
        assert!(better > across(1.0) && across(1.0) > worse);
        // More requests are better, and less memory is. What is worse than a tenth is at the edge.
        let point =
            |x: f64, y: f64| format!(r#"<circle class="point" cx="{x:.0}" cy="{y}" r="3"/>"#);
        assert_eq!(drawn.matches(&point(better, 38.0)).count(), 2, "{drawn}");
        assert_eq!(drawn.matches(&point(worse, 56.0)).count(), 2, "{drawn}");
        let memory = 20.0 + 62.0 * 4.0 + 18.0;
        assert_eq!(drawn.matches(&point(worse, memory)).count(), 2, "{drawn}");
        assert!(
            drawn.contains("kept: tiny_http 10.00, book 0.00, "),
            "{drawn}"
        );
    }
}
