//! Draws how long an answer takes over how much is asked for, on a logarithmic scale.

use super::{Measured, CAPACITY, PATIENCE, RATES, VARIANTS};
use std::{fmt::Write as _, time::Duration};

/// Where the corner is of no request a second and ten milliseconds.
const LEFT: f64 = 66.0;
const BASE: f64 = 216.0;
/// What a request more a second takes, and ten times as long.
const REQUEST: f64 = 0.3;
const DECADE: f64 = 80.0;
const SHORTEST: f64 = 0.01;

/// Draws two lines for each variant: the median, and the 99th percentile. Where that is longer than
/// clients wait, it is at the top.
pub(super) fn draw(all: &[Measured]) -> String {
    let mut drawn = axes();
    let mut described = String::from("How long an answer takes. ");
    for (variant, of) in VARIANTS.iter().enumerate() {
        for (percent, what, style) in [(50, "median", ""), (99, "99th percentile", "wait")] {
            let points = all.iter().filter(|measured| measured.variant == variant);
            let points: Vec<_> = points
                .map(|measured| (measured.rate, measured.percentile(percent)))
                .collect();
            let corners = points.iter().map(|(rate, time)| {
                let time = time.unwrap_or(PATIENCE).min(PATIENCE);
                format!("{:.0} {:.0}", across(*rate), height(time))
            });
            let corners: Vec<_> = corners.collect();
            let class = format!("{} {style}", of.class);
            let class = match class.trim() {
                "" => String::new(),
                class => format!(r#" class="{class}""#),
            };
            let _ = writeln!(drawn, r#"<path{class} d="M{}"/>"#, corners.join("L"));
            let told = points.iter().map(|(rate, time)| match time {
                Some(time) => format!("{:.0} ms at {rate}", time.as_secs_f64() * 1e3),
                None => format!("over {} s at {rate}", PATIENCE.as_secs()),
            });
            let told: Vec<_> = told.collect();
            let _ = write!(described, "{}, {what}: {}. ", of.name, told.join(", "));
        }
    }
    let described = described.trim_end();
    format!(
        "<svg class=\"picture\" viewBox=\"0 0 348 312\" role=\"img\" \
         aria-labelledby=\"load-title load-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"load-title\">How long an answer takes by requests a second</title>\n\
         <desc id=\"load-desc\">{described}</desc>\n{drawn}</svg>\n"
    )
}

fn axes() -> String {
    let right = across(*RATES.last().unwrap_or(&CAPACITY));
    let mut drawn = String::new();
    for (time, name) in [(10, "10 ms"), (100, "100 ms"), (1000, "1 s"), (2000, "2 s")] {
        let y = height(Duration::from_millis(time));
        let _ = writeln!(
            drawn,
            r#"<path class="grid" d="M{LEFT} {y:.0}H{right}"/><text class="small" x="{x}" y="{base:.0}" text-anchor="end">{name}</text>"#,
            x = LEFT - 10.0,
            base = y + 4.0,
        );
    }
    let (top, full) = (height(PATIENCE), across(CAPACITY));
    let _ = writeln!(
        drawn,
        r#"<path class="grid" d="M{full} {top:.0}V{BASE}"/><text class="small" x="{full}" y="{:.0}" text-anchor="middle">all workers busy</text>"#,
        top - 8.0
    );
    for rate in (0..=800).step_by(200) {
        let _ = writeln!(
            drawn,
            r#"<text class="small" x="{}" y="{}" text-anchor="middle">{rate}</text>"#,
            across(rate),
            BASE + 22.0
        );
    }
    let _ = writeln!(
        drawn,
        r#"<text x="{right}" y="{}" text-anchor="end">Requests a second</text>"#,
        BASE + 42.0
    );
    let y = BASE + 62.0;
    let _ = writeln!(
        drawn,
        r#"<path d="M{LEFT} {y}h30"/><text class="small" x="102" y="{base}">median</text><path class="wait" d="M170 {y}h30"/><text class="small" x="206" y="{base}">99th percentile</text>"#,
        base = y + 4.0
    );
    for (row, of) in VARIANTS.iter().enumerate().skip(1) {
        let y = y + 20.0 * row as f64;
        let _ = writeln!(
            drawn,
            r#"<path class="{}" d="M{LEFT} {y}h30"/><text class="small" x="102" y="{}">the same, {}</text>"#,
            of.class,
            y + 4.0,
            of.name
        );
    }
    drawn
}

fn across(rate: u32) -> f64 {
    LEFT + f64::from(rate) * REQUEST
}

fn height(time: Duration) -> f64 {
    let decades = (time.as_secs_f64() / SHORTEST).log10();
    BASE - decades.max(0.0) * DECADE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::load::End;

    #[test]
    fn a_line_goes_up_to_where_clients_give_up() {
        let measured = |rate, end| Measured {
            variant: 0,
            rate,
            ends: vec![end],
        };
        let ends = [
            (0, End::Answered(Duration::from_millis(10))),
            (400, End::Answered(Duration::from_millis(100))),
            (800, End::GaveUp),
        ];
        let drawn = draw(&ends.map(|(rate, end)| measured(rate, end)));
        assert!(
            drawn.contains(r#"<path d="M66 216L186 136L306 32"/>"#),
            "{drawn}"
        );
        assert!(
            drawn.contains("median: 10 ms at 0, 100 ms at 400, over 2 s at 800. "),
            "{drawn}"
        );
    }
}
